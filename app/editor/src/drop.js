// Files and folders from the visitor's disk, by drop or by choice, and what is pasted on the page itself, handed to the page as
// texts.
//
// The page gets the event `northsouth-files` on the window; detail: { files: [[path, text]], left: [path] }, or for a single
// file that may carry a workspace: { carrier: bytes }. What nobody took is told again to whoever takes files next.
const LARGEST = 32 * 1024 * 1024;
const MOST = 20_000;
// Of what is packed. Texts take an eighth and less; what is packed closer is more likely made to fill the memory.
const MOST_UNPACKED = 8 * LARGEST;
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

/** All that a stream gives, unless that is too much. */
async function collected(stream) {
  const reader = stream.getReader();
  const chunks = [];
  for (let length = 0; ;) {
    const { done, value } = await reader.read();
    if (done) return new Uint8Array(await new Blob(chunks).arrayBuffer());
    length += value.length;
    if (length > MOST_UNPACKED) {
      reader.cancel().catch(() => {});
      throw new Error('it is too large');
    }
    chunks.push(value);
  }
}

/** The files of a tar, or of what gzip packed: reports come so. */
async function unpacked(path, file) {
  const stream = /z$/i.test(path) ? file.stream().pipeThrough(new DecompressionStream('gzip')) : file.stream();
  const bytes = await collected(stream);
  const text = (from, length) => new TextDecoder().decode(bytes.subarray(from, from + length)).replace(/\0[^]*$/, '');
  if (!/^ustar/.test(text(257, 5))) return [[path.replace(/\.gz$/i, ''), new Blob([bytes])]];
  const files = [];
  for (let at = 0, name; at + 512 <= bytes.length && bytes[at] && files.length < MOST;) {
    // Written with a sign it would lead back.
    const size = Math.max(0, parseInt(text(at + 124, 12), 8) || 0);
    const kind = String.fromCharCode(bytes[at + 156]);
    const whole = name ?? [text(at + 345, 155), text(at, 100)].filter(Boolean).join('/');
    // A name that is longer than its field stands before its file: as GNU's tar has it, or POSIX's.
    name = kind === 'L' ? text(at + 512, size) : kind === 'x' ? /\d+ path=(.*)\n/.exec(text(at + 512, size))?.[1] : undefined;
    if (kind === '0' || kind === '\0') files.push([whole, new Blob([bytes.subarray(at + 512, at + 512 + size)])]);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

async function hand(given) {
  const found = [];
  for (const [path, file] of given) {
    const packed = /\.(?:tar|tgz|gz)$/i.test(path) && file.size <= LARGEST;
    found.push(...(packed ? await unpacked(path, file).catch(() => [[path, file]]) : [[path, file]]));
  }
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

/** What is pasted outside of a text field is taken like a file. */
addEventListener('paste', (event) => {
  const text = event.clipboardData?.getData('text/plain') ?? '';
  // The text editor's field is in a shadow root.
  const typing = event.composedPath().some((e) => e instanceof Element && e.matches('input, textarea, [contenteditable]'));
  if (typing || !text.trim()) return;
  event.preventDefault();
  tell({ files: [['pasted.txt', text]], left: [] });
});

addEventListener('northsouth-dropped', take);
take();

addEventListener('northsouth-choose', () => {
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = true;
  input.addEventListener('change', () => { hand([...input.files].map((file) => [file.webkitRelativePath || file.name, file])); });
  input.click();
});
