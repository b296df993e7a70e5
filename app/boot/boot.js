// Starts the page. Trunk names its two files in the head (see Trunk.toml); a
// module of our own starts them, because the page's policy allows no inline script.
const glue = document.querySelector('link[rel="modulepreload"]').href;
const wasm = document.querySelector('link[type="application/wasm"]').href;
const told = (name) => document.querySelector(`meta[name=${name}]`)?.content;
const root = document.documentElement;

function showFailure(message) {
  root.setAttribute('data-failed', '');
  document.getElementById('failure-detail').textContent = message;
}

// The program says itself how it failed (app/src/browser/panic.rs). Where it is stopped without a word, as when no memory is
// left, it is said here: no error may pass through it.
function stopped(error) {
  const within = error instanceof WebAssembly.RuntimeError || /wasm/.test(error?.stack);
  if (!within || root.hasAttribute('data-failed')) return;
  showFailure(String(error));
  if ('embed' in root.dataset) return;
  try {
    localStorage.setItem('northsouth.failed', String(error));
  } catch {
    // A browser that keeps nothing.
  }
}
addEventListener('error', ({ error }) => stopped(error));
addEventListener('unhandledrejection', ({ reason }) => stopped(reason));

// A file that is dropped before there is what reads it (app/editor/src/drop.js) is kept for that: else the browser leaves the
// page to show it.
const dropped = (globalThis.northsouthDropped = []);
addEventListener('dragover', (event) => {
  if (event.dataTransfer.types.includes('Files')) event.preventDefault();
});
addEventListener('drop', (event) => {
  const items = [...event.dataTransfer.items].filter(({ kind }) => kind === 'file');
  if (items.length === 0) return;
  event.preventDefault();
  // Asked for at once: after the event they are gone.
  dropped.push(items.map((item) => [item.webkitGetAsEntry?.(), item.getAsFile()]));
  dispatchEvent(new Event('northsouth-dropped'));
});

// The program may be in two parts (see app/parts/). The second comes after the first paint; where the page opens on a
// workspace of the visitor's own or on something else than the default scenario, before the start; and should the first part
// call into it before it is there, at that moment. (Such a call passes a service worker by, so on later visits it must be there.)
const second = told('rest');

// The sentences come beside the program, in the language that it will most likely ask for; beside the first part those that
// it says.
let languages = [/[#&]lang=([\w-]+)/.exec(location.hash)?.[1] ?? '', ...navigator.languages];
try {
  languages = [localStorage.getItem('northsouth.settings') ?? '', ...languages];
} catch {
  // A browser that keeps nothing.
}
const there = told('languages').split(' ');
// `zh-TW` is best served by `zh-CN`; the settings begin with their language.
const main = (tag) => tag.split(/[^a-z]/i)[0].toLowerCase();
const language = languages.map((tag) => there.find((one) => main(one) === main(tag))).find(Boolean) ?? there[0];
root.lang = language;
const words = `words/${language}`;
const packed = (name) => `${told('content')}${name}.txt`;
const preload = document.createElement('link');
preload.rel = 'preload';
preload.as = 'fetch';
preload.crossOrigin = 'anonymous';
preload.href = packed(second ? `${words}-heard` : words);
document.head.append(preload);

let fetched;
let joined = !second;

function join(first, { module, sentences }) {
  if (joined) return;
  new WebAssembly.Instance(module, { first });
  joined = true;
  if (!take(words, sentences)) throw new Error(`${words} is no pack`);
}

globalThis.northsouthRest = (first) => {
  if (joined) return;
  try {
    join(first, fetched ?? fetchAtOnce());
  } catch (error) {
    // The program stops in the midst of what it did, and can't go on.
    showFailure(`The program's second part, ${second}, could not be fetched. Is the network there? · 程序的第二部分未能取得。网络通吗？ · ${error.message}`);
    throw error;
  }
};

let look;

/** The look of what opens later is a sheet of its own, in a release. It keeps nothing from opening. */
const dressed = () =>
  (look ??= new Promise((resolve) => {
    if (!told('sheet')) return resolve();
    const link = document.createElement('link');
    Object.assign(link, { rel: 'stylesheet', href: told('sheet'), fetchPriority: 'low', onload: resolve, onerror: resolve });
    document.head.append(link);
  }));

async function fetchSecond() {
  if (fetched) return;
  const answers = [second, packed(words)].map((address) => fetch(address, { priority: 'low' }));
  const [program, sentences] = await Promise.all([...answers, dressed()]);
  fetched = { module: await WebAssembly.compile(await program.arrayBuffer()), sentences: await sentences.text() };
}

/** A call from the program can't wait. Such requests give texts only: of the program each character's low byte is a byte. */
function fetchAtOnce() {
  dressed();
  const [program, sentences] = [[second, 'x-user-defined'], [packed(words), 'utf-8']].map(([address, charset]) => {
    const request = new XMLHttpRequest();
    request.open('GET', address, false);
    request.overrideMimeType(`text/plain; charset=${charset}`);
    request.send();
    if (request.status !== 200) throw new Error(`answer ${request.status}`);
    return request.responseText;
  });
  const bytes = Uint8Array.from(program, (character) => character.charCodeAt(0));
  return { module: new WebAssembly.Module(bytes), sentences };
}

// Until then the first part is asked for no more than it was rehearsed for, which is to play. What else is asked for waits for
// the second part, and where an answer would be late, as to a pointer that moves, there is none.
const PLAYS = '.controls > .icon:not(.keys), .step-back, .play, .play + button, .strides button, .packets button, .line input, #failure *';
const WAITING = ['click', 'keydown', 'input', 'change', 'submit', 'hashchange', 'message'];
const PASSING = ['pointerdown', 'pointermove', 'pointerup', 'pointercancel', 'touchstart', 'touchmove', 'wheel', 'focus', 'blur', 'focusin', 'focusout'];
const waiting = [];

/** Keys that move the slider do so at once, so what else they do can't come later. */
function plays({ type, target, key }) {
  const at = target.closest?.(PLAYS);
  return ['click', 'input'].includes(type) ? at : type === 'keydown' && at?.type === 'range' && /^(Arrow|Home|End|Page)/.test(key);
}

function wait(event) {
  if (plays(event)) return;
  event.stopImmediatePropagation();
  if (!WAITING.includes(event.type)) return;
  if (event.type === 'click' || event.type === 'submit') event.preventDefault();
  waiting.push([event.target, new event.constructor(event.type, event)]);
}

function listen(change) {
  for (const type of [...WAITING, ...PASSING]) change(type, wait, true);
}

function goOn() {
  listen(removeEventListener);
  for (const [target, event] of waiting.splice(0)) target.dispatchEvent(event);
}

function opensOnMore() {
  // Who was here before has settings or a workspace kept, and most likely the files too. An embedded page is another one.
  if (location.hash.length > 1 || 'embed' in document.documentElement.dataset || navigator.serviceWorker?.controller) return true;
  try {
    return Object.keys(localStorage).some((key) => key.startsWith('northsouth.'));
  } catch {
    return false;
  }
}

const { default: init, take } = await import(glue);
if (opensOnMore()) await (joined ? dressed() : fetchSecond()).catch(() => {});
if (!joined && !fetched) listen(addEventListener);
const first = await init({ module_or_path: wasm });

// The program takes its place when its sentences have come, too, and draws itself in turns. Until that is seen nothing else is
// asked of the network.
const place = document.getElementById('app');
const arriving = () => place.querySelector('.arriving, .page[aria-busy]');
const shown = new Promise((resolve) => {
  const watch = new MutationObserver(() => arriving() || resolve(watch.disconnect()));
  if (arriving()) watch.observe(place, { childList: true, subtree: true, attributeFilter: ['aria-busy'] });
  else resolve();
});
const painted = shown.then(() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve))));
const whole = painted.then(async () => {
  if (joined) return dressed();
  await fetchSecond();
  join(first, fetched);
});
whole.then(goOn, goOn);

// The text editor comes after the first paint, and after the second part, which it calls into. Without it the page has plain
// text fields, so a failure is no more than that; and without the second part the default scenario still plays.
// An embedded page asks for it when its files are opened.
const editor = new URL(told('editor'), document.baseURI).href;
const load = () => import(editor).catch(() => {});
if ('embed' in root.dataset) {
  whole.catch(() => {});
  addEventListener('northsouth-wants-editor', load, { once: true });
} else whole.then(load, () => {});

// From the second visit on the page works without a network. Not every browser or page around allows it.
navigator.serviceWorker?.register('sw.js').catch(() => {});
