// The page: drop a file, watch its job, read the transcript with the sound.
// Everything that comes from outside goes into the page as text, never as markup.

import { $, ask, make } from "./common.js";

const STAGES = {
  fetch: "Fetching the audio", decode: "Decoding", recognize: "Recognizing words",
  diarize: "Telling voices apart", assemble: "Assembling", publish: "Publishing",
};
const METHODS = {
  given: "given by hand", known_voice: "known voice", participant: "participant, heard in the talk",
  self_introduction: "says the name", host_introduction: "is introduced", address: "is addressed",
  elimination: "the only one left", page: "from the page",
};

// Tags of words that stand in the document and not in the text (transcription/wording.py).
const LEFT_OUT = new Set(["filler", "repeat", "false_start", "backchannel"]);

const clock = (seconds) => {
  const s = Math.max(0, Math.floor(seconds));
  const pad = (n) => String(n).padStart(2, "0");
  return s >= 3600 ? `${Math.floor(s / 3600)}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}` : `${Math.floor(s / 60)}:${pad(s % 60)}`;
};

// ---------------------------------------------------------------- upload

// What stands between us and the service (a proxy that limits uploads) does not answer in JSON.
function read(text) {
  try { return JSON.parse(text); } catch { return {}; }
}

const file = $("file"), url = $("url"), drop = $("drop"), note = $("upload-note");

function say(text, bad = false) {
  note.textContent = text;
  note.classList.toggle("bad", bad);
}

function choose() {
  const chosen = file.files[0];
  $("chosen").textContent = chosen ? chosen.name : "Drop an episode here";
  $("send").disabled = !chosen && !url.value.trim();
  say("");
}

// One recording a request: what was given last counts.
file.addEventListener("change", () => { if (file.files[0]) url.value = ""; choose(); });
url.addEventListener("input", () => { if (url.value.trim()) file.value = ""; choose(); });
for (const kind of ["dragenter", "dragover"]) drop.addEventListener(kind, (e) => { e.preventDefault(); drop.classList.add("over"); });
for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, (e) => { e.preventDefault(); drop.classList.remove("over"); });
drop.addEventListener("drop", (e) => {
  if (e.dataTransfer.files.length) { file.files = e.dataTransfer.files; url.value = ""; choose(); }
});

$("upload").addEventListener("submit", (e) => {
  e.preventDefault();
  const link = url.value.trim(), sent = file.files[0];
  if (!sent && !link) return;
  const name = sent ? sent.name : link;
  // fetch cannot tell how far an upload is; XMLHttpRequest can.
  const request = new XMLHttpRequest();
  request.open("POST", "/v1/episodes");
  request.upload.addEventListener("progress", (p) => { if (p.lengthComputable) $("sending").value = p.loaded / p.total; });
  request.addEventListener("loadend", () => {
    $("sending").hidden = true;
    $("send").disabled = false;
    const answer = read(request.responseText);
    if (request.status === 202 || request.status === 200) {
      if (file.files[0] === sent && url.value.trim() === link) { // else the next one was chosen meanwhile
        $("upload").reset();
        choose();
      }
      say(request.status === 200 ? `${name} is known already: here is its job.` : "");
      waitFor(answer);
    } else {
      const status = request.status ? `The answer was ${request.status} ${request.statusText}.` : "The service did not answer.";
      say(answer.detail ?? `${status} Try again.`, true);
    }
  });
  const form = new FormData($("upload"));
  form.delete(sent ? "url" : "audio");
  for (const field of ["title", "language", "participant"]) if (!form.get(field).trim()) form.delete(field);
  $("sending").hidden = !sent;
  $("sending").value = 0;
  $("send").disabled = true;
  request.send(form);
});

// ---------------------------------------------------------------- jobs

const jobs = new Map(), followed = new Set(), names = new Map();
// Sent or tried again from this page and not final yet: read as soon as they are done, however the page learns it.
const awaited = new Set();

function remember(...list) {
  for (const job of list) {
    if (jobs.has(job.id) && jobs.get(job.id).state !== job.state) tellMove(job);
    jobs.set(job.id, job);
    if (!isFinal(job) || !awaited.delete(job.id)) continue;
    if (job.state === "done" && $("reader").hidden) location.hash = `#/transcript/${job.episode_id}`;
  }
  showJobs();
}

// For those who hear the page: which job moved and where to, and nothing of its progress. What moves at once is told
// at once.
const MOST_MOVES = 3;
const moves = [];

function tellMove(job) {
  if (!moves.length) setTimeout(tellMoves, 300);
  moves.push(nameOf(job).then((name) => `${name || "A job"}: ${job.state}.`));
}

async function tellMoves() {
  const waiting = moves.splice(0), told = await Promise.all(waiting.slice(0, MOST_MOVES));
  if (waiting.length > MOST_MOVES) told.push(`${waiting.length - MOST_MOVES} more.`);
  $("moved").textContent = told.join(" ");
}

function isFinal(job) {
  return ["done", "failed", "cancelled"].includes(job.state);
}

function waitFor(job) {
  if (!isFinal(job)) awaited.add(job.id);
  if (!jobs.has(job.id)) tellMove(job);
  remember(job);
  follow(job.id);
}

async function nameOf(job) {
  if (job.title) return job.title;
  if (!names.has(job.episode_id)) {
    names.set(job.episode_id, "");
    const episode = await ask(`/v1/episodes/${job.episode_id}`).then((a) => a.json()).catch(() => ({}));
    names.set(job.episode_id, episode.title ?? episode.audio?.file_name ?? "Untitled");
    showJobs();
  }
  return names.get(job.episode_id);
}

function progressNote(job) {
  if (job.state === "failed") return `${job.error.message} (${job.error.code})`;
  if (job.state === "queued") {
    const wait = job.attempts ? `waiting to be tried again (attempt ${job.attempts + 1})` : "waiting for a worker";
    return job.error ? `${wait}: ${job.error.message} (${job.error.code})` : wait;
  }
  if (job.state !== "running") return job.audio_seconds ? clock(job.audio_seconds) : "";
  const p = job.progress;
  if (!p) return "starting";
  if (p.loads) return "Loading the models";
  if (p.waits) return "Decoded, waiting for its worker";
  if (p.bytes_done != null) return `${STAGES.fetch}, ${megabytes(p)}`;
  const audio = p.total ? `, ${clock(p.done)} of ${clock(p.total)}` : "";
  const left = p.eta != null ? `, about ${clock(p.eta)} left` : "";
  return STAGES[p.stage] + audio + left;
}

function megabytes({ bytes_done: done, bytes_total: total }) {
  const mb = (bytes) => (bytes / 1e6).toFixed(1);
  return total == null ? `${mb(done)} MB` : `${mb(done)} of ${mb(total)} MB`;
}

function jobNode(job) {
  const item = make("li");
  item.dataset.job = job.id;
  item.tabIndex = -1;
  item.classList.toggle("current", location.hash === `#/transcript/${job.episode_id}`);
  const head = make("div", "row");
  const name = make(job.state === "done" ? "a" : "span", "name", "…");
  name.dataset.does = "read";
  if (job.state === "done") {
    name.href = `#/transcript/${job.episode_id}`;
    name.addEventListener("click", () => {
      isChosen = true;
      if (location.hash === name.hash) showReader(); // it is open already, perhaps far below
    });
  }
  Promise.resolve(nameOf(job)).then((text) => { name.textContent = text || "…"; });
  head.append(name, make("span", `state ${job.state}`, job.state));
  item.append(head, make("div", "note", progressNote(job)));
  if (job.state === "running" || job.state === "queued") {
    const bar = make("div", "bar"), fill = make("i");
    fill.style.width = `${Math.round((job.progress?.fraction ?? 0) * 100)}%`;
    bar.append(fill);
    item.append(bar);
  }
  const buttons = make("div", "row buttons");
  if (job.state === "running" || job.state === "queued") buttons.append(action(job, "cancel", "Cancel"));
  if (job.state === "failed") buttons.append(action(job, "retry", "Try again"));
  buttons.append(deletion(job, name));
  item.append(buttons);
  return item;
}

function deletion(job, name) {
  const button = make("button", "small", "Delete");
  button.type = "button";
  button.dataset.does = "delete";
  button.addEventListener("click", async () => {
    if (!confirm(`Delete “${name.textContent}” for good, with its recording and transcripts?`)) return;
    disable(button);
    try {
      await ask(`/v1/episodes/${job.episode_id}`, { method: "DELETE" });
      for (const each of [...jobs.values()]) if (each.episode_id === job.episode_id) jobs.delete(each.id);
      if (location.hash === `#/transcript/${job.episode_id}`) location.hash = "";
      showJobs();
    } catch (error) {
      say(error.message, true);
      button.disabled = false;
    }
  });
  return button;
}

// A button that is disabled lets go of the keyboard: its job takes it.
function disable(button) {
  button.closest("li").focus({ preventScroll: true });
  button.disabled = true;
}

function action(job, verb, label) {
  const button = make("button", "small", label);
  button.type = "button";
  button.dataset.does = verb;
  button.addEventListener("click", async () => {
    disable(button);
    try {
      const answer = await (await ask(`/v1/jobs/${job.id}/${verb}`, { method: "POST" })).json();
      if (verb === "cancel") {
        awaited.delete(job.id);
        remember(answer);
        follow(answer.id);
      } else waitFor(answer);
    } catch (error) {
      say(error.message, true);
      button.disabled = false;
    }
  });
  return button;
}

let shownJobs = "";

function showJobs() {
  const sorted = [...jobs.values()].sort((a, b) => (a.created < b.created ? 1 : -1));
  const wanted = JSON.stringify([location.hash, sorted, sorted.map((job) => names.get(job.episode_id))]);
  if (wanted === shownJobs) return; // a selected text stays selected
  shownJobs = wanted;
  const giveBack = heldInJobs();
  $("jobs").replaceChildren(...sorted.map(jobNode));
  $("no-jobs").hidden = sorted.length > 0;
  giveBack();
}

// What has the keyboard in the list; the function returned gives it back to what stands there in its place. Where
// that control is gone, the job has it: not the next button, for which the next key was not meant.
function heldInJobs() {
  const held = document.activeElement, item = held?.closest("#jobs > li");
  if (!item) return () => {};
  return () => {
    const now = $("jobs").querySelector(`[data-job="${item.dataset.job}"]`);
    const same = now?.querySelector(`[data-does="${held.dataset.does}"]`);
    (same ?? now ?? $("jobs-heading")).focus({ preventScroll: true });
  };
}

// A browser opens six connections to one host, and each stream holds one: the list is asked for the rest.
const MOST_STREAMS = 2;

function follow(id) {
  if (followed.has(id) || followed.size >= MOST_STREAMS) return;
  followed.add(id);
  const source = new EventSource(`/v1/jobs/${id}/events`);
  source.addEventListener("progress", (e) => {
    const job = JSON.parse(e.data);
    if (job.deleted) {
      jobs.delete(id);
      showJobs();
    } else remember(job);
    if (!isFinal(job)) return;
    source.close();
    followed.delete(id);
  });
  source.addEventListener("problem", () => { source.close(); followed.delete(id); });
  // Broken off, a browser connects again; refused, it does not: then the list may begin another one.
  source.addEventListener("error", () => { if (source.readyState === EventSource.CLOSED) followed.delete(id); });
}

// So many jobs are a page of the list; so many pages are shown.
const PAGE = 50;
let pages = 1;

async function listed() {
  const list = [];
  let next = null;
  for (let page = 0; page < pages && (page === 0 || next); page += 1) {
    const answer = await (await ask(`/v1/jobs?limit=${PAGE}${next ? `&before=${next}` : ""}`)).json();
    list.push(...answer.jobs);
    next = answer.next;
  }
  return { list, next };
}

async function lookAgain() {
  const known = new Map(jobs), wanted = pages;
  // What comes in while the list is on its way is newer than what stands there, or missing there.
  const isNews = (id) => jobs.get(id) === known.get(id);
  try {
    const { list, next } = await listed();
    if (wanted !== pages) return; // older ones were asked for meanwhile
    const there = new Set(list.map((job) => job.id));
    for (const id of known.keys()) {
      // Deleted elsewhere, or older than what is shown: nothing would tell how it goes on there.
      if (isNews(id) && !there.has(id) && !followed.has(id)) jobs.delete(id);
    }
    const news = list.filter((job) => isNews(job.id));
    for (const job of news) if (job.state === "running") follow(job.id);
    remember(...news);
    $("older").hidden = !next;
    $("how-many").textContent = `The newest ${list.length} jobs.`;
    $("away").hidden = true;
  } catch { // the next look tells whether it is back
    $("away").hidden = false;
  }
}

$("show-older").addEventListener("click", async () => {
  const last = $("jobs").lastElementChild;
  pages += 1;
  await lookAgain();
  const { nextElementSibling: first } = $("jobs").querySelector(`[data-job="${last?.dataset.job}"]`) ?? {};
  if (first) first.focus({ preventScroll: true });
});

// ---------------------------------------------------------------- reader

const audio = $("audio");
let spoken = [], nowShown = null;
let shown = null; // the episode and the document that stand in the reader
// Whether somebody asked for the transcript, by a click or by its address: one that opens by itself does not move the page.
let isChosen = location.hash !== "";

const isOpen = (episodeId) => location.hash === `#/transcript/${episodeId}`;

async function open(episodeId) {
  try {
    const document_ = await (await ask(`/v1/transcripts/${episodeId}?format=json`)).json();
    if (!isOpen(episodeId)) return; // another one was chosen meanwhile
    show(episodeId, document_);
    if (isChosen) showReader();
  } catch (error) {
    if (isOpen(episodeId)) close(error.message);
  }
}

// In a narrow window the transcript lies below the jobs, and beside a long list above the place one has scrolled to.
function showReader() {
  isChosen = false;
  const { top } = $("reader").getBoundingClientRect();
  if (top < 0 || top > window.innerHeight / 2) $("reader").scrollIntoView({ block: "start" });
  $("title").focus({ preventScroll: true });
}

const WELCOME = $("welcome").textContent.trim();

function close(why = "") {
  isChosen = false;
  audio.pause();
  $("reader").hidden = true;
  $("welcome").hidden = false;
  $("welcome").querySelector("p").textContent = why || WELCOME;
  document.title = "Stenocast";
}

function show(episodeId, transcript) {
  closeNaming();
  sayOfNames("");
  shown = { episodeId, transcript };
  $("welcome").hidden = true;
  $("reader").hidden = false;
  const { episode, quality } = transcript;
  $("title").textContent = episode.title ?? episode.audio.file_name ?? "Untitled";
  document.title = `${$("title").textContent} – Stenocast`;
  const facts = [episode.show, episode.published, episode.audio.duration && clock(episode.audio.duration), `${quality.word_count} words`];
  $("facts").textContent = facts.filter(Boolean).join(" · ");
  $("warnings").replaceChildren(...quality.warnings.map((w) => make("li", "", w.message)));
  showDoubts(quality);
  const label = labelsOf(transcript.speakers);
  const nameless = transcript.speakers.filter((s) => !s.name).length;
  $("name-speakers").hidden = !transcript.speakers.length;
  $("name-speakers").textContent = `Name the speakers${nameless ? ` (${nameless} without a name)` : ""}`;
  $("speakers").replaceChildren(...transcript.speakers.map((s) => speakerNode(s, label[s.id])));
  spoken = [];
  $("turns").replaceChildren(...transcript.turns.map((t) => turnNode(t, label[t.speaker] ?? "Unknown voice")));
  const recording = `/v1/episodes/${episodeId}/audio`;
  if (audio.getAttribute("src") !== recording) audio.src = recording; // else it goes on where it is
  $("look").value = "";
  look(episodeId);
  $("look").onchange = () => look(episodeId);
  $("save").onclick = () => save(`/v1/transcripts/${episodeId}?${$("download").value}&download=true`);
  tell("");
}

const labelsOf = (speakers) => Object.fromEntries(speakers.map((s, i) => [s.id, s.name ?? `Speaker ${i + 1}`]));

const tell = (text) => { $("reader-note").textContent = text; };

// Fetched first, so that a format that this transcript cannot be had in is told here and does not take the page's place.
async function save(path) {
  tell("");
  try {
    const answer = await ask(path), link = make("a");
    link.href = URL.createObjectURL(await answer.blob());
    link.download = answer.headers.get("content-disposition")?.match(/filename="([^"]*)"/)?.[1] ?? "transcript";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  } catch (error) {
    tell(error.message);
  }
}

const REASONS = {
  low_probability: "unsure of the words",
  repetition: "the same words over and over",
  words_without_speech: "words where hardly anybody speaks",
  speech_without_words: "speech without words",
  word_lengths: "words of impossible length",
  other_language: "sounds like another language",
  invented: "taken for invented and left out",
};

function showDoubts({ doubtful, removed = [] }) {
  const places = [...doubtful, ...removed].sort((a, b) => a.start - b.start);
  $("doubts").hidden = !places.length;
  $("doubts").querySelector("summary").textContent = `Listen again to ${places.length} place${places.length === 1 ? "" : "s"}`;
  $("doubts").querySelector("ul").replaceChildren(...places.map((place) => {
    const item = make("li"), play = make("button", "", clock(place.start));
    play.type = "button";
    play.addEventListener("click", () => playFrom(place.start));
    item.append(play, ` ${REASONS[place.reason] ?? place.reason}`);
    if (place.text) item.append(": ", make("q", "", place.text.length > 120 ? `${place.text.slice(0, 120)}…` : place.text));
    return item;
  }));
}

function speakerNode(speaker, label) {
  const item = make("li"), box = make("details"), head = make("summary", "", label);
  const said = [speaker.role, speaker.speech_seconds && clock(speaker.speech_seconds)].filter(Boolean).join(", ");
  if (said) head.append(" ", make("small", "", said));
  box.append(head);
  for (const each of speaker.evidence) {
    const line = make("div", "", `${METHODS[each.method] ?? each.method}: `);
    line.append(make("q", "", each.quote));
    if (each.start != null) line.append(make("small", "", ` ${clock(each.start)}`));
    box.append(line);
  }
  if (!speaker.evidence.length) box.append(make("div", "", whyWithout(speaker)));
  const rename = make("button", "small", speaker.name ? "Change the name" : "Give a name");
  rename.type = "button";
  rename.addEventListener("click", () => openNaming(speaker.id));
  box.append(rename);
  item.append(box);
  return item;
}

function whyWithout(speaker) {
  if (speaker.name) return "No quote kept.";
  return speaker.known_by === "given" ? "Somebody said that nobody knows who this is." : "Nobody said this name clearly enough.";
}

// ---------------------------------------------------------------- naming by hand

const naming = $("naming");

function sayOfNames(text, bad = false) {
  $("naming-note").textContent = text;
  $("naming-note").classList.toggle("bad", bad);
}

function openNaming(speakerId) {
  const { transcript } = shown;
  $("people").replaceChildren(...transcript.episode.participants.map((person) => {
    const option = make("option");
    option.value = person.name;
    return option;
  }));
  $("naming-rows").replaceChildren(...transcript.speakers.map((speaker, i) => namingRow(speaker, i + 1)));
  naming.hidden = false;
  $("name-speakers").setAttribute("aria-expanded", "true");
  sayOfNames("");
  const first = transcript.speakers.find((speaker) => !speaker.name) ?? transcript.speakers[0];
  fieldOf(speakerId ?? first.id)?.focus();
}

function closeNaming() {
  naming.hidden = true;
  $("name-speakers").setAttribute("aria-expanded", "false");
}

const fieldOf = (speakerId) => $("naming-rows").querySelector(`[data-speaker="${CSS.escape(speakerId)}"] input`);

const NAME_HINT = "first and last name";

function namingRow(speaker, number) {
  const row = make("li"), label = make("label"), field = make("input"), why = make("p", "why");
  row.dataset.speaker = speaker.id;
  const said = speaker.speech_seconds && clock(speaker.speech_seconds);
  label.append(`Speaker ${number}`, ...(said ? [" ", make("small", "", said)] : []));
  field.id = `name-of-${number}`;
  field.value = speaker.name ?? "";
  field.maxLength = 300;
  field.placeholder = NAME_HINT;
  field.setAttribute("list", "people");
  field.autocapitalize = "words";
  field.spellcheck = false;
  why.id = `why-${number}`;
  field.setAttribute("aria-describedby", why.id);
  label.htmlFor = field.id;
  field.addEventListener("input", () => {
    field.removeAttribute("aria-invalid");
    if (row.classList.contains("taken-back")) row.querySelector("[aria-pressed]").click();
  });
  // What stands as evidence of a name by hand is only where the voice can be heard.
  const [first] = speaker.known_by === "given" ? [] : speaker.evidence;
  if (first) why.append(`${METHODS[first.method] ?? first.method}: `, make("q", "", first.quote));
  else if (speaker.name) why.append(METHODS[speaker.known_by] ?? "");
  else why.append(whyWithout(speaker));
  row.append(label, hearButton(speaker.id, number), field);
  if (speaker.known_by === "given") row.append(takeBackButton(row, field, speaker));
  row.append(why);
  return row;
}

// What somebody gave by hand, back to what is heard in the talk.
function takeBackButton(row, field, speaker) {
  const button = make("button", "small", "As heard");
  button.type = "button";
  button.title = "Take back what was given by hand: what is said in the talk decides again";
  button.addEventListener("click", () => {
    const isBack = row.classList.toggle("taken-back");
    if (isBack) field.value = "";
    else if (!field.value) field.value = speaker.name ?? "";
    field.placeholder = isBack ? "as heard in the talk" : NAME_HINT;
    button.setAttribute("aria-pressed", String(isBack));
  });
  button.setAttribute("aria-pressed", "false");
  return button;
}

const HEARD_SECONDS = 6; // of a voice: enough to know it by

// A few seconds of the voice; again, of its next longest turn.
function hearButton(speakerId, number) {
  const button = make("button", "small hear", "Hear");
  button.type = "button";
  button.setAttribute("aria-label", `Hear Speaker ${number}`);
  const turns = shown.transcript.turns
    .filter((turn) => turn.speaker === speakerId && turn.start != null && turn.end != null)
    .sort((a, b) => (b.end - b.start) - (a.end - a.start)).slice(0, 3);
  button.disabled = !turns.length;
  let next = 0;
  button.addEventListener("click", () => {
    const { start, end } = turns[next++ % turns.length];
    playFrom(start, Math.min(end, start + HEARD_SECONDS));
  });
  return button;
}

// What is said of whom: only of those whose field was changed.
function namesGiven() {
  const given = {};
  for (const speaker of shown.transcript.speakers) {
    const field = fieldOf(speaker.id), name = field.value.trim();
    if (field.closest("li").classList.contains("taken-back")) given[speaker.id] = null;
    else if (name !== (speaker.name ?? "")) given[speaker.id] = name || { name: null };
  }
  return given;
}

naming.addEventListener("submit", async (e) => {
  e.preventDefault();
  const { episodeId, transcript } = shown, given = namesGiven();
  if (!Object.keys(given).length) {
    closeNaming();
    $("name-speakers").focus();
    return;
  }
  $("naming-save").disabled = true;
  sayOfNames("Saving…");
  try {
    const answer = await (await ask(`/v1/transcripts/${episodeId}/speakers`, {
      method: "PATCH",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ revision: transcript.revision, speakers: given }),
    })).json();
    if (!isOpen(episodeId)) return; // another one was chosen meanwhile
    await showAgain(episodeId);
    sayOfNames(saved(transcript.speakers, answer, given));
    $("name-speakers").focus({ preventScroll: true });
    $("naming-note").scrollIntoView({ block: "nearest" }); // a long form has closed above what was looked at
  } catch (error) {
    if (isOpen(episodeId)) await refused(error, given);
  } finally {
    $("naming-save").disabled = false;
  }
});

async function showAgain(episodeId) {
  const transcript = await (await ask(`/v1/transcripts/${episodeId}?format=json`)).json();
  if (isOpen(episodeId)) show(episodeId, transcript);
}

// To name one may tell who another is, or that a name was somebody else's: that is said, too.
function saved(before, { revision, speakers }, given) {
  const was = labelsOf(before), is = labelsOf(speakers);
  const others = speakers.filter((s) => !(s.id in given) && is[s.id] !== was[s.id]);
  const also = others.map((s) => ` ${was[s.id]} is now ${is[s.id]}.`).join("");
  return `Saved: this is revision ${revision} of the transcript.${also}`;
}

async function refused(error, given) {
  const speakerId = error.field?.startsWith("speakers.") ? error.field.slice("speakers.".length) : null;
  const field = speakerId && fieldOf(speakerId);
  if (error.code === "revision_outdated") return takeUp(given);
  const why = {
    name_taken: `Two speakers cannot both be ${field?.value.trim()}.`,
    name_invalid: `That cannot be a name: ${error.message}.`,
    episode_in_work: "This episode is being transcribed again. Name its speakers when that is done.",
    episode_deleted: "This episode was deleted.",
  }[error.code] ?? (error instanceof TypeError ? "The service did not answer. Nothing is lost: save again." : `Not saved: ${error.message}`);
  sayOfNames(why, true);
  if (!field) {
    $("naming-note").scrollIntoView({ block: "center" });
    return;
  }
  field.closest("li").querySelector(".why").textContent = why;
  field.setAttribute("aria-invalid", "true");
  field.focus();
}

// Somebody else was faster: their revision is shown, and what was typed stands in the fields to be looked at again. Not
// where the episode was transcribed again: its voices may be others.
async function takeUp(given) {
  const { episodeId, transcript: before } = shown;
  try {
    await showAgain(episodeId);
  } catch (error) {
    sayOfNames(`Not saved: ${error.message}`, true);
    return;
  }
  if (!isOpen(episodeId)) return;
  openNaming();
  const isOfOneJob = shown.transcript.provenance?.created === before.provenance?.created;
  for (const [speakerId, name] of Object.entries(isOfOneJob ? given : {})) {
    const field = fieldOf(speakerId);
    if (field && name) field.value = typeof name === "string" ? name : "";
  }
  const now = `Not saved: the transcript was changed meanwhile and is shown as it is now (revision ${shown.transcript.revision}).`;
  sayOfNames(`${now} ${isOfOneJob ? "Look at the names again, then save." : "It was transcribed again: name its speakers anew."}`, true);
  $("naming-note").scrollIntoView({ block: "center" });
}

$("name-speakers").addEventListener("click", () => {
  if (naming.hidden) openNaming();
  else closeNaming();
});
$("naming-cancel").addEventListener("click", () => {
  closeNaming();
  sayOfNames("");
  $("name-speakers").focus();
});
naming.addEventListener("keydown", (e) => {
  if (e.key === "Escape") $("naming-cancel").click();
});

// ---------------------------------------------------------------- turns and sound

function turnNode(turn, label) {
  const section = make("section", "turn");
  section.append(make("h3", "", label));
  for (const paragraph of turn.paragraphs) {
    section.append(paragraph.start == null ? make("span") : playButton(paragraph.start));
    const p = make("p");
    const visible = paragraph.words.filter((w) => !w.tags.some((tag) => LEFT_OUT.has(tag)));
    if (!visible.length) p.textContent = paragraph.text;
    for (const word of visible) {
      const span = make("span", `word${word.tags.includes("doubtful") ? " doubtful" : ""}`, word.text);
      if (word.start != null) {
        span.addEventListener("click", () => playFrom(word.start));
        spoken.push({ start: word.start, end: word.end ?? word.start, span });
      }
      p.append(span, " ");
    }
    section.append(p);
  }
  return section;
}

// Words are for the mouse; a paragraph's time is for the keyboard, too.
function playButton(start) {
  const button = make("button", "from", clock(start));
  button.type = "button";
  button.setAttribute("aria-label", `Play from ${clock(start)}`);
  button.addEventListener("click", () => playFrom(start));
  return button;
}

let heardUntil = null; // where a sample of a voice ends

function playFrom(start, until = null) {
  heardUntil = until;
  audio.currentTime = start;
  audio.play().catch(() => {}); // what keeps it from that is told by the event "error"
}

audio.addEventListener("error", () => tell("The recording cannot be played: it is no longer here, or this browser does not know its format."));

// Whoever moves on from the player's own controls hears on.
audio.addEventListener("seeking", () => { if (heardUntil != null && audio.currentTime > heardUntil) heardUntil = null; });
audio.addEventListener("pause", () => { heardUntil = null; });

audio.addEventListener("timeupdate", () => {
  const t = audio.currentTime;
  if (heardUntil != null && t >= heardUntil) audio.pause();
  let low = 0, high = spoken.length - 1, found = null;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (spoken[middle].start <= t) { found = spoken[middle]; low = middle + 1; } else high = middle - 1;
  }
  if (found?.span === nowShown) return;
  nowShown?.classList.remove("now");
  nowShown = found?.span ?? null;
  nowShown?.classList.add("now");
});

async function look(episodeId) {
  const style = $("look").value;
  $("styled").hidden = !style;
  $("turns").hidden = $("speakers").hidden = $("naming-bar").hidden = Boolean(style);
  if (!style) return;
  $("styled").textContent = "";
  tell("");
  const text = await ask(`/v1/transcripts/${episodeId}?style=${encodeURIComponent(style)}`)
    .then((answer) => answer.text()).catch((error) => { tell(error.message); return ""; });
  if (isOpen(episodeId) && $("look").value === style) $("styled").textContent = text;
}

async function listStyles() {
  const { styles, formats } = await (await ask("/v1/styles")).json();
  const option = (value, text) => { const o = make("option", "", text); o.value = value; return o; };
  $("look").append(...styles.map((s) => option(s.name, s.name)));
  $("download").append(
    ...styles.map((s) => option(`style=${s.name}`, s.name)),
    ...formats.map((f) => option(`format=${f.name}`, f.name)),
  );
}

// ---------------------------------------------------------------- start

function route() {
  const match = location.hash.match(/^#\/transcript\/([0-9a-f-]{36})$/);
  if (match) open(match[1]);
  else close();
  showJobs();
}

window.addEventListener("hashchange", route);
choose();
listStyles().catch((error) => say(error.message, true));
lookAgain().then(route);
setInterval(lookAgain, 4000);
