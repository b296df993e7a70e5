//! Sets and maps: their heads, and their elements.

use super::Reader;
use super::constant::Constant;
use super::cursor::{Parse, not_modelled_as, wrong};
use super::lex::Kind;
use crate::netfilter::matches::Range;
use crate::netfilter::nft::{
    Data, DataType, Datatype, Element, Expr, Set, SetFlags, SetRef, Shared, Value,
};
use crate::say;
use crate::text::Diagnostic;

/// Braces in braces.
const MOST_DEPTH: u32 = 16;

/// Elements that are being read, and how many braces are open.
#[derive(Default)]
struct Braces {
    elements: Vec<Element>,
    depth: u32,
}

impl Reader<'_> {
    /// The set behind a relation: `@name` or `{ … }`.
    pub(super) fn set_ref(&mut self, key: &[Datatype]) -> Parse<SetRef> {
        self.reference(key, None)
    }

    /// The map behind `vmap`.
    pub(super) fn vmap_ref(&mut self, key: &[Datatype]) -> Parse<SetRef> {
        self.reference(key, Some(DataType::Verdict))
    }

    /// The map behind `map`, which gives values of these types, or of fewer.
    pub(super) fn map_ref(&mut self, key: &[Datatype], data: &[Datatype]) -> Parse<SetRef> {
        self.reference(key, Some(DataType::Values(data.to_vec())))
    }

    fn reference(&mut self, key: &[Datatype], data: Option<DataType>) -> Parse<SetRef> {
        let start = self.cursor.at;
        if self.cursor.eat_sign("@") {
            let name = self.cursor.name("the name of a set")?;
            let span = self.cursor.since(start);
            let Some(id) = self.set_id(name.text) else {
                return wrong(
                    span,
                    say!(
                        "nft/unknown-set",
                        name = name.text,
                        table = self.table_name()
                    ),
                );
            };
            if let Some(set) = self.table().and_then(|t| t.set(id)) {
                let is_map = set.data.is_some();
                if is_map != data.is_some() {
                    let message = if is_map {
                        say!("nft/map-not-set", name = name.text)
                    } else {
                        say!("nft/set-not-map", name = name.text)
                    };
                    return wrong(span, message);
                }
                if !alike(&set.key, key) {
                    let (has, wants) = (type_names(key), type_names(&set.key));
                    return wrong(
                        span,
                        say!("nft/key-type", name = name.text, has = has, wants = wants),
                    );
                }
            }
            return Ok(SetRef::Named(id));
        }
        if !self.cursor.is_sign("{") {
            return self.cursor.expected("@ {");
        }
        let mut set = Set::new("", key.to_vec(), data);
        let mut braces = Braces::default();
        let data = set.data.clone();
        while self.more_elements(key, &data, &mut braces)? {}
        set.elements = braces.elements;
        set.span = self.cursor.since(start);
        if let Some(DataType::Values(types)) = &mut set.data
            && let Some(Data::Values(values)) = set.elements.first().and_then(|e| e.data.as_ref())
        {
            types.truncate(values.len());
        }
        set.flags.constant = true;
        set.flags.interval = set
            .elements
            .iter()
            .flat_map(|e| &e.key)
            .any(|r| r.low != r.high);
        if set.flags.interval && set.data.is_none() && set.key.len() == 1 {
            merge(&mut set.elements);
        }
        for diagnostic in set.arrange() {
            self.diagnostics.push(diagnostic);
        }
        Ok(SetRef::Anonymous(Box::new(set)))
    }

    /// `{ key [: data], … }`, over several lines; braces in braces are flattened.
    pub(super) async fn elements(
        &mut self,
        key: &[Datatype],
        data: &Option<DataType>,
    ) -> Parse<Vec<Element>> {
        let mut braces = Braces::default();
        let mut told = 0;
        while self.more_elements(key, data, &mut braces)? {
            if let Some(new) = braces.elements.get(told) {
                self.pace.read(new.span.range().len()).await;
                told += 1;
            }
        }
        Ok(braces.elements)
    }

    /// One element more, or a sign between them; false when the braces are closed.
    fn more_elements(
        &mut self,
        key: &[Datatype],
        data: &Option<DataType>,
        braces: &mut Braces,
    ) -> Parse<bool> {
        self.cursor.skip_ends();
        if self.cursor.done() {
            return self.cursor.expected("}");
        }
        if self.cursor.eat_sign("{") {
            braces.depth += 1;
            if braces.depth > MOST_DEPTH {
                return wrong(self.cursor.peek().span, say!("nft/too-deep"));
            }
            return Ok(true);
        }
        if self.cursor.eat_sign("}") {
            braces.depth = braces.depth.saturating_sub(1);
            return Ok(braces.depth > 0);
        }
        if braces.depth == 0 {
            return self.cursor.expected("{");
        }
        if self.cursor.eat_sign(",") {
            return Ok(true);
        }
        braces.elements.push(self.element(key, data)?);
        self.cursor.skip_ends();
        if !self.cursor.is_sign(",") && !self.cursor.is_sign("}") {
            return self.cursor.expected(", }");
        }
        Ok(true)
    }

    fn element(&mut self, key: &[Datatype], data: &Option<DataType>) -> Parse<Element> {
        let start = self.cursor.at;
        let mut parts = Vec::with_capacity(key.len());
        if !self.cursor.eat_sign("*") {
            for (i, datatype) in key.iter().enumerate() {
                if i > 0 {
                    self.cursor.sign(".")?;
                }
                parts.push(self.element_part(*datatype)?);
            }
        }
        let mut element = Element {
            key: parts,
            data: None,
            timeout: None,
            expires: None,
            comment: None,
            span: self.cursor.since(start),
        };
        self.element_options(&mut element)?;
        if let Some(data) = data {
            self.cursor.skip_ends();
            self.cursor.sign(":")?;
            self.cursor.skip_ends();
            element.data = Some(match data {
                DataType::Verdict => Data::Verdict(self.verdict()?),
                DataType::Values(types) => Data::Values(self.data(types)?),
            });
            self.element_options(&mut element)?;
        }
        element.span = self.cursor.since(start);
        Ok(element)
    }

    fn element_part(&mut self, datatype: Datatype) -> Parse<Range<Value>> {
        // Flags may be joined in an element too.
        let mut part = self.constant(datatype)?.range(datatype);
        while datatype.is_bitmask() && self.cursor.eat_sign("|") {
            let more = self.value(datatype)?;
            part = Range {
                low: part.low | more,
                high: part.high | more,
            };
        }
        Ok(part)
    }

    fn data(&mut self, types: &[Datatype]) -> Parse<Vec<Range<Value>>> {
        let mut parts = Vec::with_capacity(types.len());
        for datatype in types {
            parts.push(self.constant(*datatype)?.range(*datatype));
            if parts.len() == types.len() || !self.cursor.eat_sign(".") {
                break;
            }
        }
        Ok(parts)
    }

    fn element_options(&mut self, element: &mut Element) -> Parse<()> {
        loop {
            if self.cursor.eat_word("timeout") {
                element.timeout = Some(self.cursor.duration()?);
            } else if self.cursor.eat_word("expires") {
                element.expires = Some(self.cursor.duration()?);
            } else if self.cursor.eat_word("comment") {
                element.comment = Some(self.cursor.quoted()?);
            } else if self.cursor.eat_word("counter") {
                self.counters()?;
            } else {
                return Ok(());
            }
        }
    }

    /// What follows `type` of a set or map: `TYPE . TYPE`.
    pub(super) fn types(&mut self) -> Parse<Vec<Datatype>> {
        let mut types = Vec::new();
        loop {
            let name = self.cursor.name("a type")?;
            match Datatype::from_name(name.text) {
                Some(datatype) => types.push(datatype),
                None => return wrong(name.span, say!("nft/unknown-type", name = name.text)),
            }
            if !self.cursor.eat_sign(".") {
                return Ok(types);
            }
        }
    }

    /// The body of a named set or map: `{ type …; flags …; elements = { … } }`, the brace already read.
    pub(super) async fn set_body(&mut self, set: &mut Set, is_map: bool) -> Parse<()> {
        loop {
            self.cursor.skip_ends();
            if self.cursor.eat_sign("}") {
                return Ok(());
            }
            if self.cursor.done() {
                return self.cursor.expected("}");
            }
            let word = self.cursor.name("type, typeof, flags, elements …")?;
            match word.text {
                "type" => {
                    set.key = self.types()?;
                    if is_map {
                        self.cursor.sign(":")?;
                        set.data_interval = self.cursor.eat_word("interval");
                        if Shared::ALL
                            .iter()
                            .any(|s| s.name() == self.cursor.peek().text)
                        {
                            set.data = Some(DataType::Values(Vec::new()));
                            let kind = self.cursor.next();
                            return not_modelled_as(&format!("map : {}", kind.text), kind.span);
                        }
                        let verdict = self.cursor.eat_word("verdict");
                        set.data = Some(if verdict {
                            DataType::Verdict
                        } else {
                            DataType::Values(self.types()?)
                        });
                    }
                }
                "typeof" => {
                    let key = self.concat(&[])?;
                    set.key = key.types();
                    set.typeof_key = Some(key);
                    if is_map {
                        self.cursor.sign(":")?;
                        set.data_interval = self.cursor.eat_word("interval");
                        if self.cursor.eat_word("verdict") {
                            set.data = Some(DataType::Verdict);
                        } else {
                            let data = self.concat(&[])?;
                            set.data = Some(DataType::Values(data.types()));
                            set.typeof_data = Some(data);
                        }
                    }
                }
                "flags" => self.set_flags(&mut set.flags)?,
                "timeout" => {
                    set.timeout = Some(self.cursor.duration()?);
                    set.flags.timeout = true;
                }
                "gc-interval" => set.gc_interval = Some(self.cursor.duration()?),
                "size" => set.size = Some(self.cursor.number32()?),
                "policy" => {
                    set.memory_policy = self.cursor.name("memory or performance")?.text == "memory"
                }
                "auto-merge" => set.auto_merge = true,
                "counter" => set.counter = true,
                "comment" => set.comment = Some(self.cursor.quoted()?),
                "elements" => {
                    self.cursor.sign("=")?;
                    let found = self.elements(&set.key, &set.data).await?;
                    set.elements.extend(found);
                }
                _ => {
                    return wrong(
                        word.span,
                        say!(
                            "nft/unexpected",
                            text = word.text,
                            wanted = "type, flags, elements"
                        ),
                    );
                }
            }
        }
    }

    fn set_flags(&mut self, flags: &mut SetFlags) -> Parse<()> {
        loop {
            let flag = self.cursor.name("a flag")?;
            match flag.text {
                "constant" => flags.constant = true,
                "interval" => flags.interval = true,
                "timeout" => flags.timeout = true,
                "dynamic" => flags.dynamic = true,
                _ => return wrong(flag.span, say!("nft/unknown-flag", flag = flag.text)),
            }
            if !self.cursor.eat_sign(",") {
                return Ok(());
            }
        }
    }

    /// One constant, or a list of flags: what a field is compared with when no set is.
    pub(super) fn flags_or_constant(&mut self, datatype: Datatype) -> Parse<(Constant, bool)> {
        if datatype.is_bitmask() && self.cursor.is_sign("(")
            || self.cursor.peek().kind == Kind::Sign && !self.cursor.is_sign("*")
        {
            let Expr::Value(value, _) = self.concat(&[datatype])? else {
                return self.cursor.expected(datatype.name());
            };
            return Ok((Constant::Value(value), false));
        }
        let first = self.constant(datatype)?;
        let Constant::Value(mut value) = first else {
            return Ok((first, false));
        };
        if !datatype.is_bitmask() {
            while self.cursor.is_sign("|") || self.cursor.is_sign("&") || self.cursor.is_sign("^") {
                let sign = self.cursor.next().text;
                let more = self.value(datatype)?;
                value = match sign {
                    "|" => value | more,
                    "&" => value & more,
                    _ => value ^ more,
                };
            }
            return Ok((Constant::Value(value), false));
        }
        let mut list = false;
        loop {
            if self.cursor.eat_sign(",") {
                list = true;
            } else if !self.cursor.eat_either("|", "or") {
                return Ok((Constant::Value(value), list));
            }
            value |= self.value(datatype)?;
        }
    }
}

/// Overlapping and adjacent ranges become one, as nft does it for sets in rules.
fn merge(elements: &mut Vec<Element>) {
    elements.sort_by_key(|e| e.key.first().map(|r| r.low));
    let mut merged: Vec<Element> = Vec::with_capacity(elements.len());
    for element in elements.drain(..) {
        if let (Some(last), Some(new)) = (
            merged.last_mut().and_then(|e| e.key.first_mut()),
            element.key.first(),
        ) && last
            .high
            .checked_add(1)
            .is_none_or(|after| new.low <= after)
        {
            last.high = last.high.max(new.high);
            continue;
        }
        merged.push(element);
    }
    *elements = merged;
}

/// Types that are of one make, such as a plain number and a mark.
fn alike(a: &[Datatype], b: &[Datatype]) -> bool {
    let same = |(a, b): (&Datatype, &Datatype)| {
        a == b
            || matches!(
                (a, b),
                (Datatype::Integer(_), _) | (_, Datatype::Integer(_))
            )
    };
    a.len() == b.len() && a.iter().zip(b).all(same)
}

pub(super) fn type_names(types: &[Datatype]) -> String {
    let names: Vec<_> = types.iter().map(|t| t.name()).collect();
    names.join(" . ")
}

impl Set {
    /// Sorts the elements for look-ups, and says which contradict each other; the first of those stays.
    pub(super) fn arrange(&mut self) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        let low = |a: &Element, b: &Element| {
            let (a, b) = (a.key.iter(), b.key.iter());
            a.map(|r| r.low).cmp(b.map(|r| r.low))
        };
        self.elements.sort_by(low);
        let single = self.key.len() == 1;
        self.elements.dedup_by(|new, old| {
            let same = new.key == old.key;
            let overlap = single && matches!((old.key.first(), new.key.first()), (Some(o), Some(n)) if n.low <= o.high);
            if same && new.data != old.data || overlap && !same && !self.auto_merge {
                diagnostics.push(
                    Diagnostic::error(new.span, say!("nft/conflicting-element")).label(old.span, say!("nft/conflicts-with")),
                );
                return true;
            }
            same
        });
        if self.auto_merge && self.data.is_none() && single {
            merge(&mut self.elements);
        }
        diagnostics
    }
}
