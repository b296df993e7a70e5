// Lines at which the packet stops: a gutter to set them in, and a key. The page keeps them.
import { RangeSet, StateEffect, StateField } from '@codemirror/state';
import { GutterMarker, gutter, keymap } from '@codemirror/view';

export const setBreakpoints = StateEffect.define();

class Stop extends GutterMarker {
  toDOM() {
    return document.createTextNode('■');
  }
}

/** Holds the gutter's width, and shows where a click would set one. */
class Spacer extends GutterMarker {
  toDOM() {
    return document.createTextNode('□');
  }
}

const stop = new Stop();

const field = StateField.define({
  create: () => RangeSet.empty,
  update(value, transaction) {
    let next = transaction.docChanged ? value.map(transaction.changes) : value;
    const { doc } = transaction.state;
    for (const effect of transaction.effects) {
      if (!effect.is(setBreakpoints)) continue;
      const lines = effect.value.filter((line) => line >= 1 && line <= doc.lines);
      next = RangeSet.of(lines.map((line) => stop.range(doc.line(line).from)), true);
    }
    return next;
  },
});

/** `tell(line)` when a line's breakpoint is to be set or taken away. */
export const breakpoints = (tell) => [
  field,
  gutter({
    class: 'breakpoints',
    markers: (view) => view.state.field(field),
    initialSpacer: () => new Spacer(),
    domEventHandlers: {
      mousedown(view, block) {
        tell(view.state.doc.lineAt(block.from).number);
        return true;
      },
    },
  }),
  keymap.of([{ key: 'F9', run: ({ state }) => (tell(state.doc.lineAt(state.selection.main.head).number), true) }]),
];
