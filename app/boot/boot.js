// Starts the page. Trunk names its two files in the head (see Trunk.toml); a
// module of our own starts them, because the page's policy allows no inline script.
const glue = document.querySelector('link[rel="modulepreload"]').href;
const wasm = document.querySelector('link[type="application/wasm"]').href;

// The sentences come beside the program, in the language that it will most likely ask for.
let languages = [/[#&]lang=([\w-]+)/.exec(location.hash)?.[1] ?? '', ...navigator.languages];
try {
  languages = [localStorage.getItem('northsouth.settings') ?? '', ...languages];
} catch {
  // A browser that keeps nothing.
}
const language = languages.find((tag) => /^(en|zh)/i.test(tag));
const words = document.createElement('link');
words.rel = 'preload';
words.as = 'fetch';
words.crossOrigin = 'anonymous';
words.href = `${document.querySelector('meta[name=content]').content}words/${/^zh/i.test(language) ? 'zh-CN' : 'en'}.txt`;
document.head.append(words);

const { default: init } = await import(glue);
await init({ module_or_path: wasm });

// The text editor comes after the first paint. Without it the page has plain text fields, so a failure is no more than that.
// An embedded page asks for it when its files are opened.
const editor = new URL('editor.js', document.baseURI).href;
const load = () => import(editor).catch(() => {});
if ('embed' in document.documentElement.dataset) addEventListener('northsouth-wants-editor', load, { once: true });
else requestAnimationFrame(() => setTimeout(load));

// From the second visit on the page works without a network. Not every browser or page around allows it.
navigator.serviceWorker?.register('sw.js').catch(() => {});
