// A sign beside each line that a set of probes was measured on: what it says the page says.
import { RangeSet, StateEffect, StateField } from '@codemirror/state';
import { GutterMarker, gutter } from '@codemirror/view';

export const setCoverage = StateEffect.define();

class Sign extends GutterMarker {
  constructor({ sign, kind, said }) {
    super();
    Object.assign(this, { sign, kind, said });
  }

  eq({ sign, said }) {
    return sign === this.sign && said === this.said;
  }

  toDOM() {
    const box = document.createElement('span');
    box.className = `covered covered-${this.kind}`;
    box.title = this.said;
    box.append(this.sign);
    return box;
  }
}

const field = StateField.define({
  create: () => RangeSet.empty,
  update(value, transaction) {
    let next = transaction.docChanged ? value.map(transaction.changes) : value;
    const { doc } = transaction.state;
    for (const effect of transaction.effects) {
      if (!effect.is(setCoverage)) continue;
      const places = new Map();
      for (const mark of effect.value) if (mark.from <= doc.length) places.set(doc.lineAt(mark.from).from, new Sign(mark));
      next = RangeSet.of([...places].map(([at, sign]) => sign.range(at)), true);
    }
    return next;
  },
});

export const coverage = [field, gutter({ class: 'coverage', markers: (view) => view.state.field(field) })];
