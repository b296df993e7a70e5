// Files and folders from the visitor's disk, by drop or by choice, handed to the page as texts.
//
// The page gets the event `northsouth-files` on the window; detail: { files: [[path, text]], left: [path] }, or for a single
// file that may carry a workspace: { carrier: bytes }. What nobody took is told again to whoever takes files next.
const LARGEST = 32 * 1024 * 1024;
const MOST = 20_000;
const CARRIER = /\.(?:zip|svg|png)$/i;

async function walk(entry, path, out) {
  if (out.length >= MOST) return;
  if (entry.isFile) {
    const file = await new Promise((then, fail) => { entry.file(then, fail); });
    out.push([path + entry.name, file]);
  } else if (entry.isDirectory) {
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((then, fail) => { reader.readEntries(then, fail); });
      if (some.length === 0) break;
      for (const inside of some) await walk(inside, `${path}${entry.name}/`, out);
    }
  }
}

let untaken;

function tell(detail) {
  untaken = dispatchEvent(new CustomEvent('northsouth-files', { detail, cancelable: true })) ? detail : undefined;
}

addEventListener('northsouth-takes-files', () => { if (untaken) tell(untaken); });

async function hand(found) {
  if (found.length === 1 && CARRIER.test(found[0][0]) && found[0][1].size <= LARGEST) {
    tell({ carrier: new Uint8Array(await found[0][1].arrayBuffer()) });
    return;
  }
  const files = [];
  const left = [];
  for (const [path, file] of found) {
    const text = file.size <= LARGEST ? await file.text() : '\0';
    if (text.includes('\0')) left.push(path);
    else files.push([path, text]);
  }
  if (files.length + left.length > 0) tell({ files, left });
}

/** Takes what was dropped, which app/boot/boot.js catches from the first moment on. */
async function take() {
  for (const entries of globalThis.northsouthDropped.splice(0)) {
    const found = [];
    for (const [entry, file] of entries) {
      if (entry) await walk(entry, '', found);
      else if (file) found.push([file.name, file]);
    }
    await hand(found);
  }
}

addEventListener('northsouth-dropped', take);
take();

addEventListener('northsouth-choose', () => {
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = true;
  input.addEventListener('change', () => { hand([...input.files].map((file) => [file.webkitRelativePath || file.name, file])); });
  input.click();
});
