// The element <code-editor>: a text editor that the page loads after its first paint.
//
// Properties: name (another name is another text: undo, scroll and cursor start anew), kind, label, value, marks, lit, kin,
// breakpoints (lines from 1), coverage (signs beside lines), locks (lines that stay, see locks.js), ask (what the page
// answers, see assist.js), cursor. Events: edit (detail: the whole text; without one it is what the pieces before say), piece
// (detail: text; without one it is the first of others), breakpoint (detail: a line), caret (detail: an offset), undo, redo;
// the page keeps the history, across all its files.
import { defaultKeymap } from '@codemirror/commands';
import { search, searchKeymap } from '@codemirror/search';
import { Annotation, Compartment, EditorState } from '@codemirror/state';
import { EditorView, drawSelection, keymap, lineNumbers } from '@codemirror/view';
import { assist } from './assist.js';
import { breakpoints, setBreakpoints } from './breakpoints.js';
import { coverage, setCoverage } from './coverage.js';
import './drop.js';
import { folding } from './folding.js';
import { language } from './languages.js';
import { locks, setLocks } from './locks.js';
import { kin, lit, marks, setKin, setLit, setMarks } from './marks.js';
import { theme } from './theme.js';

// A longer text is told in pieces of so many characters, when typing pauses for so many milliseconds: told as a whole and with
// each key it would hold the page up.
const PIECE = 512 * 1024;
const PAUSE = 150;

// Set on changes that the page made, so that they are not told back to it.
const fromPage = Annotation.define();

const PROPERTIES = [
  'name', 'kind', 'label', 'value', 'marks', 'lit', 'kin', 'breakpoints', 'coverage', 'locks', 'ask', 'cursor',
];

/** What has to be replaced to make `before` into `after`, as little as possible, so that the cursor stays. */
function difference(before, after) {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shorter - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  return { from: start, to: before.length - end, insert: after.slice(start, after.length - end) };
}

const attributes = (label) => EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' });

class CodeEditor extends HTMLElement {
  #view;
  #language = new Compartment();
  #label = new Compartment();
  #ask;
  #looked;
  #size;
  // What is to be told, and how much of it was.
  #telling;
  #values = { name: '', kind: '', label: '', value: '' };
  #wishes;

  #left = () => this.#tellNow();

  connectedCallback() {
    addEventListener('pagehide', this.#left);
    this.#values.label ||= this.getAttribute('label') ?? '';
    // Opened only here: a shadow root also takes CodeMirror's style sheets without a <style> element, which the page's
    // policy would refuse.
    const root = this.shadowRoot ?? this.attachShadow({ mode: 'open', delegatesFocus: true });
    this.#view = new EditorView({ state: this.#state(), parent: root, root });
    // What opens below takes room away, and not from the line at hand.
    this.#size = new ResizeObserver(() => {
      const view = this.#view;
      if (view?.hasFocus) view.dispatch({ effects: EditorView.scrollIntoView(view.state.selection.main.head, { yMargin: 24 }) });
    });
    this.#size.observe(this);
    for (const property of PROPERTIES) {
      // Set before this class was defined.
      if (Object.hasOwn(this, property)) {
        const value = this[property];
        delete this[property];
        this[property] = value;
      }
    }
  }

  disconnectedCallback() {
    removeEventListener('pagehide', this.#left);
    this.#tellNow();
    this.#size?.disconnect();
    this.#view?.destroy();
    this.#view = undefined;
  }

  #state() {
    const { kind, label, value } = this.#values;
    const tell = (name) => () => {
      this.#tellNow();
      this.dispatchEvent(new CustomEvent(name));
    };
    return EditorState.create({
      doc: value,
      extensions: [
        theme,
        breakpoints((line) => this.dispatchEvent(new CustomEvent('breakpoint', { detail: line }))),
        lineNumbers(),
        drawSelection(),
        EditorView.lineWrapping,
        this.#language.of(language(kind)),
        this.#label.of(attributes(label)),
        search({ top: true }),
        assist((...question) => this.#ask?.(...question)),
        coverage,
        folding,
        marks,
        kin,
        lit,
        locks((transaction) => transaction.annotation(fromPage)),
        keymap.of([
          { key: 'Mod-z', run: () => (tell('undo')(), true), preventDefault: true },
          { key: 'Mod-y', run: () => (tell('redo')(), true), preventDefault: true },
          { key: 'Mod-Shift-z', run: () => (tell('redo')(), true), preventDefault: true },
          ...searchKeymap,
          ...defaultKeymap,
        ]),
        EditorView.updateListener.of((update) => {
          if (update.selectionSet && !update.docChanged && update.view.hasFocus) {
            this.dispatchEvent(new CustomEvent('caret', { detail: update.state.selection.main.head }));
          }
          if (!update.docChanged || update.transactions.some((t) => t.annotation(fromPage))) return;
          this.#tell(update.state.doc);
        }),
        EditorView.domEventHandlers({ blur: () => this.#tellNow() }),
      ],
    });
  }

  #tell(doc) {
    clearTimeout(this.#telling?.timer);
    if (doc.length <= PIECE) {
      this.#telling = undefined;
      this.dispatchEvent(new CustomEvent('edit', { detail: doc.toString() }));
    } else {
      this.#telling = { doc, at: 0, timer: setTimeout(() => this.#tellMore(), PAUSE) };
    }
  }

  #tellMore() {
    const { doc, at } = this.#telling;
    if (at === 0) this.dispatchEvent(new CustomEvent('piece'));
    let end = Math.min(at + PIECE, doc.length);
    // No character is cut in two.
    if (end < doc.length && /[\uD800-\uDBFF]/.test(doc.sliceString(end - 1, end))) end -= 1;
    this.dispatchEvent(new CustomEvent('piece', { detail: doc.sliceString(at, end) }));
    if (end < doc.length) {
      this.#telling = { doc, at: end, timer: setTimeout(() => this.#tellMore()) };
    } else {
      this.#telling = undefined;
      this.dispatchEvent(new CustomEvent('edit'));
    }
  }

  /** Before anything else happens to the text, or the page is left: it keeps what it is told. */
  #tellNow() {
    clearTimeout(this.#telling?.timer);
    while (this.#telling) {
      this.#tellMore();
      clearTimeout(this.#telling?.timer);
    }
  }

  set name(name) {
    if (name !== this.#values.name) this.#tellNow();
    this.#wish({ name });
  }

  set kind(kind) {
    this.#wish({ kind });
  }

  set label(label) {
    this.#wish({ label });
  }

  set value(value) {
    this.#wish({ value });
  }

  get value() {
    return this.#wishes?.value ?? this.#view?.state.doc.toString() ?? this.#values.value;
  }

  set marks(list) {
    this.#wish({ marks: setMarks.of(list) });
  }

  set ask(ask) {
    this.#ask = ask;
  }

  set coverage(list) {
    this.#wish({ coverage: setCoverage.of(list) });
  }

  set locks(locks) {
    this.#wish({ locks });
  }

  set lit(range) {
    this.#wish({ lit: range });
  }

  set kin(list) {
    this.#wish({ kin: list });
  }

  set breakpoints(lines) {
    this.#wish({ breakpoints: setBreakpoints.of(lines) });
  }

  /** What the page sets in one go is shown in one go. */
  #wish(wish) {
    if (!this.#wishes) {
      this.#wishes = {};
      queueMicrotask(() => this.#fulfil());
    }
    Object.assign(this.#wishes, wish);
  }

  #fulfil() {
    const { marks, coverage, breakpoints, locks, lit, kin: others, ...values } = this.#wishes ?? {};
    this.#wishes = undefined;
    const before = this.#values;
    this.#values = { ...before, ...values };
    const view = this.#view;
    if (!view) return;
    const { name, kind, label, value } = this.#values;
    const effects = [marks, coverage, breakpoints].filter(Boolean);
    if (name !== before.name) {
      view.setState(this.#state());
    } else {
      if (kind !== before.kind) effects.push(this.#language.reconfigure(language(kind)));
      if (label !== before.label) effects.push(this.#label.reconfigure(attributes(label)));
      // What was typed since is told soon, and is newer than what the page has.
      const text = values.value === undefined || this.#telling ? value : view.state.doc.toString();
      if (text !== value) view.dispatch({ changes: difference(text, value), annotations: fromPage.of(true) });
    }
    const { doc } = view.state;
    const show = (at) => effects.push(EditorView.scrollIntoView(at, { y: 'center' }));
    if (locks) {
      effects.push(setLocks.of(locks));
      const [first] = locks.kept;
      // What may be edited is what one looks for, when the text opens.
      if (first && name !== this.#looked && !view.hasFocus) {
        const open = first.from > 1 ? 1 : first.to + 1;
        if (first.from > 1 || first.after) show(doc.line(Math.min(open, doc.lines)).from);
        this.#looked = name;
      }
    }
    if (lit !== undefined) {
      effects.push(setLit.of(lit));
      if (lit && !view.hasFocus) show(Math.min(lit[0], doc.length));
    }
    if (others) {
      effects.push(setKin.of(others));
      if (others.length > 0 && !view.hasFocus) show(Math.min(others[0][0], doc.length));
    }
    if (effects.length) view.dispatch({ effects });
  }

  get cursor() {
    return this.#view?.state.selection.main.head ?? 0;
  }

  set cursor(offset) {
    this.#fulfil();
    const view = this.#view;
    if (!view) return;
    const anchor = Math.min(offset, view.state.doc.length);
    view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) });
    view.focus();
  }
}

customElements.define('code-editor', CodeEditor);
document.documentElement.setAttribute('data-editor', '');
dispatchEvent(new Event('northsouth-editor'));
