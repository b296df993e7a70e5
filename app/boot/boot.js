// Starts the page. Trunk names its two files in the head (see Trunk.toml); a
// module of our own starts them, because the page's policy allows no inline script.
const glue = document.querySelector('link[rel="modulepreload"]').href;
const wasm = document.querySelector('link[type="application/wasm"]').href;

const { default: init } = await import(glue);
await init({ module_or_path: wasm });

// The text editor comes after the first paint. Without it the page has plain text fields, so a failure is no more than that.
const editor = new URL('editor.js', document.baseURI).href;
const load = () => import(editor).catch(() => {});
requestAnimationFrame(() => setTimeout(load));
