// What the parts of the page have in common.

export const $ = (id) => document.getElementById(id);
export const make = (tag, className = "", text = "") => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
};

export async function ask(path, options) {
  const answer = await fetch(path, options);
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  const error = new Error(problem.detail ?? `${answer.status} ${answer.statusText}`);
  throw Object.assign(error, { code: problem.code, field: problem.field });
}
