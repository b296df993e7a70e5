// A static file server for dist/, as any static host would be: no rewriting, no
// extra headers that the page could come to depend on.
//
//   node scripts/serve.mjs [directory] [port]
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress } from 'node:zlib';

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.md': 'text/markdown; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
  '.yaml': 'text/plain; charset=utf-8',
};

/** The file that `path` means below `root`, or null. */
async function find(root, path) {
  let name;
  try {
    name = decodeURIComponent(path);
  } catch {
    return null;
  }
  const file = join(root, name.endsWith('/') ? `${name}index.html` : name);
  if (name.includes('\0') || !file.startsWith(root + sep)) return null;
  const found = await stat(file).catch(() => null);
  return found?.isFile() ? { file, size: found.size } : null;
}

const pack = async (file) => promisify(brotliCompress)(await readFile(file));

/**
 * Serves `directory` under `base` on 127.0.0.1; port 0 takes a free one. `packed`: with brotli, as most hosts do.
 * Resolves to `{ url, close }`, rejects when the port is taken.
 */
export async function serve(directory, port = 0, base = '/', { packed = false } = {}) {
  const root = resolve(directory);
  const small = new Map();
  const server = createServer(async (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
      return;
    }
    const path = request.url.split(/[?#]/, 1)[0];
    const found = path.startsWith(base) && (await find(root, `/${path.slice(base.length)}`));
    if (!found) {
      response.writeHead(404, { 'content-type': TYPES['.txt'] }).end('not found\n');
      return;
    }
    if (packed && !small.has(found.file)) small.set(found.file, pack(found.file));
    const body = await small.get(found.file);
    response.writeHead(200, {
      'content-type': TYPES[extname(found.file)] ?? 'application/octet-stream',
      'content-length': body?.length ?? found.size,
      ...(packed ? { 'content-encoding': 'br' } : {}),
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
    });
    if (request.method === 'HEAD') response.end();
    else if (body) response.end(body);
    else createReadStream(found.file).on('error', () => response.destroy()).pipe(response);
  });
  await new Promise((done, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', done);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}${base}`,
    close() {
      server.closeAllConnections();
      return new Promise((done) => server.close(done));
    },
  };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [directory = 'dist', port = '8080'] = process.argv.slice(2);
  try {
    const { url } = await serve(directory, Number(port));
    console.log(`Northsouth is at ${url} (Ctrl-C ends it)`);
  } catch (error) {
    if (error.code !== 'EADDRINUSE') throw error;
    console.error(`Port ${port} is taken, perhaps by another Northsouth. Choose one: make serve PORT=8081`);
    process.exit(1);
  }
}
