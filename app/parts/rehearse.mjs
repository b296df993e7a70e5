// Plays the default scenario on the page in a browser that is no browser (happy-dom), and tells which points of the
// program it met: `node rehearse.mjs STAGE GLUE PROGRAM BASE COUNT` writes a byte for each. PROGRAM leaves its marks at BASE
// (see `watched` in outline.mjs), GLUE is wasm-bindgen's module.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Window } from 'happy-dom';

const [stage, glue, program, base, count] = process.argv.slice(2);
const page = readFileSync(join(stage, 'index.html'), 'utf8').replace(/<(script|link|noscript)[^]*?>/g, '');
const VISITS = [
  { language: 'en-GB', width: 1440, whole: true },
  { language: 'zh-CN', width: 1440, whole: true },
  { language: 'en-GB', width: 1024 },
  { language: 'zh-CN', width: 412 },
  { language: 'en-GB', width: 390, whole: true },
  { language: 'zh-CN', width: 390, whole: true },
];

const DOM = ['Event', 'EventTarget', 'CustomEvent', 'AbortController', 'AbortSignal'];
const KEPT = new Set(Object.getOwnPropertyNames(globalThis).filter((name) => !DOM.includes(name)));
const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const every = setInterval;

async function until(holds) {
  for (let i = 0; i < 2000; i += 1) {
    if (holds()) return;
    await sleep(2);
  }
  throw new Error(`the rehearsal waited in vain: ${document.documentElement.outerHTML.slice(0, 3000)}`);
}

/** Makes this process's global scope a window's, with what the page's program asks of one. */
function enter({ language, width }) {
  const window = new Window({ url: 'http://rehearsal.invalid/', width, height: 900 });
  window.document.write(page);
  window.document.documentElement.lang = language.slice(0, 2) === 'zh' ? 'zh-CN' : 'en';
  const own = {
    window: globalThis,
    self: globalThis,
    Window: { [Symbol.hasInstance]: (value) => value === globalThis },
    // Most people read more than one, and the page has not the first of all of them.
    navigator: { languages: ['eo', language, language.slice(0, 2), 'de', 'fr', 'it'], language },
    Response: class {
      ok = true;
      constructor(body) {
        this.text = async () => body;
      }
    },
    // Which sentences are heard is found out here, so it has all.
    fetch: async (address) => new own.Response(readFileSync(join(stage, address.replace('-heard.', '.')), 'utf8')),
    ResizeObserver: class {
      constructor(call) {
        this.call = call;
      }
      observe(target) {
        // Beside others, or as wide as a small screen is.
        const told = (width) => this.call([{ target, contentRect: { x: 0, y: 0, left: 0, top: 0, width, height: 600 } }], this);
        setTimeout(told, 0, width / 2);
        if (width < 1000) setTimeout(told, 10, width - 24);
      }
      unobserve() {}
      disconnect() {
        this.call = () => {};
      }
    },
    matchMedia: (query) => {
      const most = /max-width:\s*([\d.]+)/.exec(query);
      return { matches: most !== null && width <= Number(most[1]), media: query, addEventListener() {}, removeEventListener() {} };
    },
    requestAnimationFrame: (call) => setTimeout(() => call(performance.now())),
    cancelAnimationFrame: clearTimeout,
    setInterval: (call) => every(call, 5),
  };
  const names = new Set();
  for (let object = window; object && object !== Object.prototype; object = Object.getPrototypeOf(object)) {
    for (const name of Object.getOwnPropertyNames(object)) names.add(name);
  }
  const define = (name, value) => Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  for (const name of names) {
    if (KEPT.has(name)) continue;
    const value = window[name];
    define(name, typeof value === 'function' && !/^[A-Z]/.test(name) ? value.bind(window) : value);
  }
  for (const [name, value] of Object.entries(own)) define(name, value);
}

/** Goes forward and back by all that moves time (`PLAYS` in app/boot/boot.js), and `whole`, plays to the end first. */
async function play(whole) {
  const press = async (selector, at = 0) => {
    const found = document.querySelectorAll(selector);
    const button = found[at < 0 ? found.length + at : at];
    // A pointer meets what is in it.
    (button?.firstElementChild ?? button)?.dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true, cancelable: true }));
    await sleep(1);
  };
  const forward = '.controls > .play + button';
  // A browser tells of it where the page itself moves the map.
  const scrolled = () => document.querySelector('.map-scroll')?.dispatchEvent(new Event('scroll'));
  if (whole) {
    await press('.play');
    await until(() => document.querySelector(forward).disabled);
  }
  for (let i = 0; i < 3; i += 1) await press('.step-back');
  await press('.controls > .icon');
  await press('.play');
  await press('.play');
  for (let i = 0; i < 3; i += 1) await press(forward);
  for (let i = 0; i < document.querySelectorAll('.strides button').length; i += 1) await press('.strides button', i);
  for (const at of [1, -1, 0]) await press('.packets button', at);
  const slider = document.querySelector('.line input');
  slider.value = slider.max;
  slider.dispatchEvent(new InputEvent('input', { bubbles: true, composed: true }));
  scrolled();
  await sleep(5);
  // Past its end, and back again.
  for (const key of ['ArrowRight', 'ArrowLeft', 'ArrowUp', 'ArrowDown', 'Home', 'End', 'PageUp', 'PageDown']) {
    document.querySelector('.line input').dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, composed: true, cancelable: true }));
    await sleep(1);
  }
  await sleep(5);
}

const met = new Uint8Array(Number(count));
for (const [number, { whole, ...visit }] of VISITS.entries()) {
  enter(visit);
  const { default: init } = await import(`${pathToFileURL(glue)}?${number}`);
  const { memory } = await init({ module_or_path: readFileSync(program) });
  // Some press play while the page still draws itself, some when it is whole.
  await until(() => document.querySelector(whole ? '.page:not([aria-busy])' : '.controls'));
  await play(whole);
  new Uint8Array(memory.buffer, Number(base), met.length).forEach((mark, i) => { met[i] |= mark; });
}
process.stdout.write(met, () => process.exit());
