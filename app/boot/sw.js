// Keeps the page's files, so that it works without a network from the second visit on. scripts/finish.mjs fills in the
// version and the list; a new build is another version, and the old one's files go.
const PREFIX = `northsouth:${registration.scope}:`;
const CACHE = `${PREFIX}@VERSION@`;
const FILES = ['@FILES@'];

addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(FILES.map((file) => new Request(file, { cache: 'no-cache' }))))
      .then(() => skipWaiting()),
  );
});

addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name.startsWith(PREFIX) && name !== CACHE))
      .then((old) => Promise.all(old.map((name) => caches.delete(name))))
      .then(() => clients.claim()),
  );
});

// What is ours and kept comes from here; a page is fetched first, so that a new build is seen at once.
async function answer(request) {
  const cache = await caches.open(CACHE);
  const kept = (await cache.match(request, { ignoreSearch: true })) ?? (await folder(cache, request));
  if (request.mode !== 'navigate' && kept) return kept;
  try {
    return await fetch(request);
  } catch (error) {
    if (kept) return kept;
    throw error;
  }
}

/** The page itself, where its folder is asked for. */
function folder(cache, request) {
  const url = new URL(request.url);
  return url.href.split(/[?#]/)[0] === registration.scope ? cache.match('./index.html') : undefined;
}

addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method === 'GET' && request.url.startsWith(registration.scope)) event.respondWith(answer(request));
});
