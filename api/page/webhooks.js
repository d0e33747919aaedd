// Webhooks for whoever operates the service: which are enabled, what is on its way to each and what became of it.
// In an address there may be a key, in its path or behind it: only its host is shown. The secrets are never told.

import { $, ask, make } from "./common.js";

// Why an event was not delivered, by the code of its last try.
const WHY = {
  receiver_timeout: "no answer in time",
  receiver_unreachable: "not reached",
  receiver_refused: "refused",
  receiver_gone: "its receiver wants no more events",
  redirect_refused: "its receiver leads elsewhere",
  address_refused: "its address must not be asked",
  url_refused: "its address must not be asked",
  webhook_disabled: "it was disabled for too long",
  event_invalid: "the event could not be read",
  internal_error: "something went wrong here",
};
const REASONS_DISABLED = { by_hand: "Disabled by hand.", gone: "Disabled: its receiver answered 410, it wants no more events." };
const STATES = { waiting: "waits", delivered: "delivered", given_up: "given up" };

// So many of one webhook's deliveries are counted, and so many of those in trouble are listed.
const MOST_COUNTED = 100, MOST_LISTED = 5;

const host = (url) => { try { return new URL(url).host; } catch { return "?"; } };
const when = (time) => new Date(time).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
const plural = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;

function stateOf({ state, failing_since }) {
  return state === "enabled" && failing_since ? "failing" : state;
}

// What came of a try: of an answer with a status that one says most.
function came({ last_code, last_status }) {
  const status = last_status == null ? "" : `answered ${last_status}`;
  return [last_code ? WHY[last_code] ?? last_code : "", status].filter(Boolean).join(", ");
}

async function deliveriesOf(webhook) {
  const list = (query) => ask(`/v1/webhooks/${webhook.id}/deliveries?limit=${MOST_COUNTED}${query}`).then((answer) => answer.json());
  const [all, waiting, givenUp] = await Promise.all([list(""), list("&state=waiting"), list("&state=given_up")]);
  const tried = all.deliveries.filter((each) => each.last_try);
  return {
    last: tried.reduce((last, each) => (last && last.last_try >= each.last_try ? last : each), null),
    waiting, givenUp,
    troubled: [...waiting.deliveries.filter((each) => each.tries), ...givenUp.deliveries]
      .sort((a, b) => (a.last_try < b.last_try ? 1 : -1)).slice(0, MOST_LISTED),
  };
}

function webhookNode({ webhook, deliveries }) {
  const item = make("li"), head = make("div", "row"), state = stateOf(webhook), lines = [];
  item.dataset.webhook = webhook.id;
  item.tabIndex = -1;
  head.append(make("span", "name", webhook.description ?? host(webhook.url)), make("span", `state ${state}`, state));
  item.append(head);
  lines.push(`${host(webhook.url)} · ${webhook.id.slice(0, 8)} · ${plural(webhook.events.length, "type")} of ${webhook.events.length === 1 ? "event" : "events"}`);
  if (webhook.reason) lines.push(REASONS_DISABLED[webhook.reason] ?? webhook.reason);
  else if (webhook.failing_since) lines.push(`Failing since ${when(webhook.failing_since)}.`);
  const many = ({ deliveries: list, next }) => `${list.length}${next ? " and more" : ""}`;
  lines.push(`Pending: ${many(deliveries.waiting)}. Given up: ${many(deliveries.givenUp)}.`);
  const { last } = deliveries;
  if (last) lines.push(`Last: ${last.event_type} ${[STATES[last.state], came(last)].filter(Boolean).join(", ")}, ${when(last.last_try)}.`);
  else lines.push("No event was sent to it lately.");
  item.append(...lines.map((line) => make("div", "note", line)));
  if (deliveries.troubled.length) item.append(troubles(webhook, deliveries.troubled));
  const buttons = make("div", "row buttons");
  buttons.append(action("test", "Send a test event", () => test(webhook)));
  if (webhook.state === "disabled") buttons.append(action("enable", "Enable", () => enable(webhook)));
  item.append(buttons);
  return item;
}

function troubles(webhook, list) {
  const node = make("ul");
  for (const each of list) {
    const item = make("li"), again = each.next_try ? `, again ${when(each.next_try)}` : "";
    item.append(
      make("span", "", `${each.event_type} ${STATES[each.state]}${again}: ${came(each)}`),
      action(`retry ${each.event_id}`, "Send again", () => retry(webhook, each)),
    );
    node.append(item);
  }
  return node;
}

function action(does, label, act) {
  const button = make("button", "small", label);
  button.type = "button";
  button.dataset.does = does;
  button.addEventListener("click", async () => {
    button.closest("[data-webhook]").focus({ preventScroll: true }); // a button that is disabled lets go of the keyboard
    button.disabled = true;
    try { say(...await act()); } catch (error) { say(error.message, true); }
    button.disabled = false;
    await look();
  });
  return button;
}

function say(text, bad = false) {
  $("webhooks-note").textContent = text;
  $("webhooks-note").classList.toggle("bad", bad);
}

const nameOf = (webhook) => webhook.description ?? host(webhook.url);
const post = (path) => ask(path, { method: "POST" }).then((answer) => answer.json());

// Each gives what to say of it, and whether that is bad news. The answer's own sentence names the address.
async function test(webhook) {
  const { delivered, status, code, seconds } = await post(`/v1/webhooks/${webhook.id}/test`);
  const result = came({ last_code: code, last_status: status });
  return [`${nameOf(webhook)}: the test event was ${delivered ? "" : "not "}delivered (${result}, ${seconds.toFixed(1)} s).`, !delivered];
}

async function enable(webhook) {
  const body = JSON.stringify({ state: "enabled" });
  await ask(`/v1/webhooks/${webhook.id}`, { method: "PATCH", body, headers: { "Content-Type": "application/json" } });
  return [`${nameOf(webhook)} is enabled: what waits for it is sent now.`];
}

async function retry(webhook, { event_id, event_type }) {
  await post(`/v1/webhooks/${webhook.id}/deliveries/${event_id}/retry`);
  return [`${event_type} is sent to ${nameOf(webhook)} again.`];
}

let shown = "";

async function look() {
  try {
    const { webhooks } = await (await ask("/v1/webhooks")).json();
    $("webhooks").hidden = !webhooks.length;
    const states = webhooks.map(stateOf), count = (state) => states.filter((each) => each === state).length;
    const bad = ["failing", "disabled"].filter(count).map((state) => `${count(state)} ${state}`);
    $("webhooks-sum").textContent = [webhooks.length, ...bad].join(", ");
    if (!$("webhooks").open) return;
    const list = await Promise.all(webhooks.map(async (webhook) => ({ webhook, deliveries: await deliveriesOf(webhook) })));
    const wanted = JSON.stringify(list);
    if (wanted === shown) return; // a selected text stays selected
    shown = wanted;
    const giveBack = held();
    $("webhook-list").replaceChildren(...list.map(webhookNode));
    giveBack();
  } catch { /* the list of jobs tells that the service is away */ }
}

// What has the keyboard in the list; the function returned gives it to what stands there in its place.
function held() {
  const button = document.activeElement, item = button?.closest("[data-webhook]");
  if (!item) return () => {};
  return () => {
    const now = $("webhook-list").querySelector(`[data-webhook="${item.dataset.webhook}"]`);
    const same = [...now?.querySelectorAll("[data-does]") ?? []].find((each) => each.dataset.does === button.dataset.does);
    (same ?? now ?? $("webhooks").querySelector("summary")).focus({ preventScroll: true });
  };
}

$("webhooks").addEventListener("toggle", look);
look();
setInterval(look, 8000);
