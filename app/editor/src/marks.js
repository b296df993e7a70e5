// What is said about stretches of text: an underline where it stands, and the words below its line. The lit lines of the
// step that the page shows, and the stretches that belong to the cursor's place in another text.
import { StateEffect, StateField } from '@codemirror/state';
import { Decoration, EditorView, WidgetType } from '@codemirror/view';

export const setMarks = StateEffect.define();
export const setLit = StateEffect.define();
export const setKin = StateEffect.define();

/** A sentence, with what it quotes from a text as code. */
export function quoting(sentence) {
  const parts = sentence.split('`');
  if (parts.length % 2 === 0) return [sentence];
  return parts.map((part, at) => {
    if (at % 2 === 0) return part;
    const code = document.createElement('code');
    code.textContent = part;
    return code;
  });
}

class Words extends WidgetType {
  constructor(mark) {
    super();
    this.mark = mark;
  }

  eq({ mark }) {
    return mark.severity === this.mark.severity && mark.message === this.mark.message && mark.help === this.mark.help;
  }

  toDOM() {
    const { severity, message, help } = this.mark;
    const box = document.createElement('div');
    box.className = `said said-${severity}`;
    box.append(...quoting(message));
    if (help) {
      const line = document.createElement('div');
      line.className = 'said-help';
      line.append(...quoting(help));
      box.append(line);
    }
    return box;
  }
}

function decorations(list, doc) {
  const clamp = (offset) => Math.min(Math.max(offset, 0), doc.length);
  const ranges = [];
  for (const mark of list) {
    const from = clamp(mark.from);
    const to = Math.max(clamp(mark.to), from);
    if (from < to) ranges.push(Decoration.mark({ class: `mark mark-${mark.severity}`, said: mark }).range(from, to));
    const below = Decoration.widget({ widget: new Words(mark), block: true, side: 1 });
    ranges.push(below.range(doc.lineAt(from).to));
  }
  return Decoration.set(ranges, true);
}

/** Keeps decorations between the page's answers by moving them along with what is typed. */
function field(effect, make) {
  return StateField.define({
    create: () => Decoration.none,
    update(value, transaction) {
      let next = transaction.docChanged ? value.map(transaction.changes) : value;
      for (const e of transaction.effects) if (e.is(effect)) next = make(e.value, transaction.state.doc);
      return next;
    },
    provide: (f) => EditorView.decorations.from(f),
  });
}

export const marks = field(setMarks, decorations);

/** What is said about the text at a place. */
export function saidAt(state, pos) {
  const said = [];
  state.field(marks).between(pos, pos, (from, to, { spec }) => {
    if (spec.said && from <= pos && pos <= to) said.push(spec.said);
  });
  return said;
}

/** What belongs to the cursor's place in another text. */
export const kin = field(setKin, (list, doc) => {
  const clamp = (offset) => Math.min(Math.max(offset, 0), doc.length);
  const ranges = list.map(([from, to]) => [clamp(from), clamp(to)]).filter(([from, to]) => from < to);
  return Decoration.set(ranges.map(([from, to]) => Decoration.mark({ class: 'kin' }).range(from, to)), true);
});

export const lit = field(setLit, (range, doc) => {
  if (!range || range[0] > doc.length) return Decoration.none;
  const lines = [];
  let line = doc.lineAt(range[0]);
  for (;;) {
    lines.push(Decoration.line({ class: 'lit' }).range(line.from));
    if (line.to >= range[1] || line.to >= doc.length) break;
    line = doc.lineAt(line.to + 1);
  }
  return Decoration.set(lines);
});
