// Defines <north-south>: Northsouth in an iframe that loads when it comes into view and is as high as what it shows.
// A plain script, so that it works from another site too:
//
//   <script src="https://…/northsouth-embed.js" defer></script>
//   <north-south scenario="article" step="12"></north-south>
//
// docs/embedding.md tells of its attributes, methods and events.
(() => {
  const VERSION = 1;
  const page = new URL('embed.html', document.currentScript.src);
  // Attributes that go into the address as they are.
  const VALUES = ['scenario', 'link', 'lesson', 'exercise', 'task', 'step', 'lang', 'height'];
  const SWITCHES = ['autoplay', 'editable', 'collapsed'];

  /** What the page around says of light and dark, where it says it. */
  function hostTheme() {
    const scheme = getComputedStyle(document.documentElement).colorScheme;
    return scheme === 'dark' || scheme === 'light' ? scheme : 'auto';
  }

  class NorthSouth extends HTMLElement {
    static observedAttributes = ['step', 'lang', 'theme'];
    #frame;
    #answers = new Map();
    #next = 1;
    #ready;
    #told;
    #watch;

    constructor() {
      super();
      this.#ready = new Promise((done) => { this.#told = done; });
    }

    connectedCallback() {
      addEventListener('message', this.#onmessage);
      this.#follow();
      if (this.#frame) return;
      const frame = document.createElement('iframe');
      frame.loading = 'lazy';
      frame.title = this.getAttribute('label') ?? 'Northsouth';
      frame.allow = 'clipboard-write';
      frame.style.cssText = 'display: block; width: 100%; border: 0;';
      frame.style.height = `${Number(this.getAttribute('height')) || 480}px`;
      frame.src = this.#address();
      this.#frame = frame;
      const root = this.attachShadow({ mode: 'open' });
      const style = document.createElement('style');
      style.textContent = ':host { display: block; }';
      root.append(style, frame);
    }

    disconnectedCallback() {
      removeEventListener('message', this.#onmessage);
      this.#watch?.disconnect();
    }

    attributeChangedCallback(name, before, value) {
      if (!this.#frame || before === value) return;
      if (name === 'theme') {
        this.#follow();
        this.#call('setState', { theme: this.#theme() });
      } else if (name === 'step' && value !== null) {
        // Calls count from 0.
        this.#call('setState', { step: Number(value) - 1 });
      } else if (value !== null) this.#call('setState', { [name]: value });
    }

    #theme() {
      const theme = this.getAttribute('theme') ?? 'auto';
      return theme === 'host' ? hostTheme() : theme;
    }

    /** Watches the page around where its theme is the element's too, and no longer where it is not. */
    #follow() {
      this.#watch?.disconnect();
      if (!this.isConnected || this.getAttribute('theme') !== 'host') return;
      this.#watch = new MutationObserver(() => this.#call('setState', { theme: hostTheme() }));
      this.#watch.observe(document.documentElement, { attributes: true });
    }

    load(what) { return this.#call('load', what); }
    getState() { return this.#call('getState'); }
    setState(state) { return this.#call('setState', state); }
    play() { return this.#call('play'); }
    pause() { return this.#call('pause'); }
    /** By so many steps, backwards where negative. */
    get step() { return (by = 1) => this.#call('step', { by }); }

    /** Frameworks set what an element has as a property (React from 19 on): here it is the attribute that is meant. */
    set step(step) { this.setAttribute('step', step); }

    #address() {
      const words = [];
      for (const name of VALUES) {
        const value = this.getAttribute(name);
        // A whole address of a link will do: what counts follows its #w=.
        if (value) words.push(`${name === 'link' ? 'w' : name}=${encodeURIComponent(value.replace(/^.*#w=/, ''))}`);
      }
      for (const name of SWITCHES) if (this.hasAttribute(name)) words.push(name);
      if (this.getAttribute('controls') === 'off') words.push('controls=off');
      if (this.hasAttribute('theme')) words.push(`theme=${encodeURIComponent(this.#theme())}`);
      words.push(`origin=${encodeURIComponent(location.origin)}`);
      return `${page.href}#${words.join('&')}`;
    }

    async #call(call, more = {}) {
      await this.#ready;
      const id = this.#next++;
      return new Promise((done, failed) => {
        this.#answers.set(id, { done, failed });
        this.#frame.contentWindow.postMessage({ ...more, northsouth: VERSION, call, id }, page.origin);
      });
    }

    #onmessage = ({ source, origin, data }) => {
      if (source !== this.#frame?.contentWindow || origin !== page.origin || data?.northsouth !== VERSION) return;
      if (data.answer !== undefined) {
        const waiting = this.#answers.get(data.answer);
        this.#answers.delete(data.answer);
        if (data.error) waiting?.failed(new Error(data.error));
        else waiting?.done(data.state);
      } else if (data.event === 'size') {
        this.#frame.style.height = `${Math.ceil(data.height)}px`;
      } else if (data.event) {
        if (data.event === 'ready') this.#told();
        this.dispatchEvent(new CustomEvent(data.event, { detail: data.state }));
      }
    };
  }

  if (!customElements.get('north-south')) customElements.define('north-south', NorthSouth);
})();
