// A headless Chromium on the built page, and what no page of ours may do.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { serve } from '../../scripts/serve.mjs';
import { findChromium } from './chromium.mjs';

const DIST = process.env.DIST ?? fileURLToPath(new URL('../../dist', import.meta.url));

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Serves the built page below `base` and starts a browser: `{ url, browser, close }`. */
export async function start(base = '/') {
  if (!existsSync(DIST)) throw new Error(`${DIST} is not there: run make build first`);
  const executablePath = findChromium();
  if (!executablePath) throw new Error('no Chromium found: run scripts/setup.sh tests, or set CHROMIUM');
  const server = await serve(DIST, 0, base);
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  return {
    url: server.url,
    browser,
    stopServing: () => server.close(),
    async close() {
      await browser.close();
      await server.close();
    },
  };
}

/**
 * A page of its own (fresh storage) with a list, `offences`, that fills with what
 * must never happen: an error on the console, an uncaught exception, a failed
 * request, a request to anywhere but the page's own origin.
 */
export async function openPage({ browser, url }, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: 'en-GB', ...options });
  const page = await context.newPage();
  const offences = [];
  const { origin } = new URL(url);
  const local = (address) => /^(data|blob|about):/.test(address) || new URL(address).origin === origin;

  page.on('console', (message) => {
    if (message.type() === 'error') offences.push(`console error: ${message.text()}`);
  });
  page.on('pageerror', (error) => offences.push(`uncaught: ${error.stack ?? error}`));
  page.on('requestfailed', (request) => {
    const why = request.failure()?.errorText;
    // A page that is left takes with it what it was still fetching.
    if (why !== 'net::ERR_ABORTED') offences.push(`request failed: ${request.url()} (${why})`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) offences.push(`answer ${response.status()}: ${response.url()}`);
  });
  page.on('websocket', (socket) => offences.push(`web socket: ${socket.url()}`));
  context.on('request', (request) => {
    if (!local(request.url())) offences.push(`request to elsewhere: ${request.url()}`);
  });
  return { page, context, offences };
}
