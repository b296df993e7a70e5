//! The words of matches that remember or ask what is remembered, and of the target that changes sets.

use std::net::Ipv4Addr;

use super::rest::Rest;
use crate::net::IpFamily;
use crate::netfilter::Match;
use crate::netfilter::matches::{
    CounterTest, Hashlimit, Limit, Recent, RecentAction, SetMatch, Statistic,
};
use crate::netfilter::syntax::{hashlimit, limit, statistic};
use crate::netfilter::targets::{SetChange, SetTarget};

pub(super) fn statistic_words(rest: &mut Rest) -> Option<Match> {
    rest.next();
    let mode = rest.value("mode")?;
    let inverted = rest.eat("!");
    Some(Match::Statistic(match mode {
        "random" => Statistic::Random {
            threshold: statistic::threshold(rest.value("probability")?)?,
            inverted,
        },
        "nth" => Statistic::Nth {
            every: rest.value("every")?.parse().ok()?,
            packet: match rest.value("packet") {
                Some(packet) => packet.parse().ok()?,
                None => 0,
            },
            inverted,
        },
        _ => return None,
    }))
}

/// `limit: avg 5/min burst 5`; hashlimit's are `limit: up to …` and `limit: above …`.
pub(super) fn limit_words(rest: &mut Rest) -> Option<Match> {
    rest.next();
    if rest.eat("avg") {
        let (average, _) = limit::rate(rest.next()?, limit::SCALE)?;
        let burst = rest.value("burst")?.parse().ok()?;
        return Some(Match::Limit(Limit {
            average: average as u32,
            burst,
        }));
    }
    let above = rest.eat("above");
    if !above && !rest.eat("up to") {
        return None;
    }
    let (average, unit) = limit::rate(rest.next()?, hashlimit::SCALE)?;
    let mut hashlimit = Hashlimit {
        family: IpFamily::V4,
        // A listing does not tell the name; the rule's own words stand for it.
        name: "".into(),
        above,
        average,
        burst: rest.value("burst")?.parse().ok()?,
        mode: 0,
        srcmask: 32,
        dstmask: 32,
        size: 0,
        max: 0,
        gc_interval: 1000,
        expire: unit as u32 * 1000,
    };
    if let Some(modes) = rest.value("mode") {
        hashlimit.mode = hashlimit::read_mode(modes)?;
    }
    while let Some(field) = match rest.peek() {
        "htable-size" => Some(&mut hashlimit.size),
        "htable-max" => Some(&mut hashlimit.max),
        "htable-gcinterval" => Some(&mut hashlimit.gc_interval),
        "htable-expire" => Some(&mut hashlimit.expire),
        _ => None,
    } {
        rest.next();
        *field = rest.next()?.parse().ok()?;
    }
    if let Some(mask) = rest.value("srcmask") {
        hashlimit.srcmask = mask.parse().ok()?;
    }
    if let Some(mask) = rest.value("dstmask") {
        hashlimit.dstmask = mask.parse().ok()?;
    }
    hashlimit.name = format!("{average}-{}", hashlimit.mode).into();
    Some(Match::Hashlimit(Box::new(hashlimit)))
}

pub(super) fn recent_words(rest: &mut Rest, inverted: bool) -> Option<Match> {
    rest.next();
    let action = match rest.next()? {
        "SET" => RecentAction::Set,
        "CHECK" => RecentAction::Check,
        "UPDATE" => RecentAction::Update,
        "REMOVE" => RecentAction::Remove,
        _ => return None,
    };
    let number = |text: Option<&str>| match text {
        Some(text) => text.parse().ok().map(Some),
        None => Some(None),
    };
    let mut recent = Recent {
        name: "".into(),
        inverted,
        action,
        seconds: number(rest.value("seconds:"))?,
        reap: rest.eat("reap"),
        hitcount: number(rest.value("hit_count:"))?,
        check_ttl: rest.eat("TTL-Match"),
        dest: false,
        mask: Ipv4Addr::BROADCAST.into(),
    };
    recent.name = rest.value("name:")?.into();
    recent.dest = rest.value("side:")? == "dest";
    if let Some(mask) = rest.value("mask:") {
        recent.mask = mask.parse().ok()?;
    }
    Some(Match::Recent(Box::new(recent)))
}

pub(super) fn set_words(rest: &mut Rest, inverted: bool) -> Option<Match> {
    let (set, directions) = named_set(rest, "match-set")?;
    let (nomatch, no_update) = (rest.eat("return-nomatch"), rest.eat("! update-counters"));
    let no_subupdate = rest.eat("! update-subcounters");
    Some(Match::Set(Box::new(SetMatch {
        set,
        inverted,
        directions,
        nomatch,
        no_update,
        no_subupdate,
        packets: counter(rest, "packets")?,
        bytes: counter(rest, "bytes")?,
    })))
}

/// `None`: a number that cannot be read.
fn counter(rest: &mut Rest, name: &str) -> Option<Option<CounterTest>> {
    let mut test = |words: &str, of: fn(u64) -> CounterTest| {
        let number = rest.value(words)?;
        Some(number.parse().ok().map(of))
    };
    let equal = format!("{name}-eq");
    let found = test(&equal, CounterTest::Equal)
        .or_else(|| test(&format!("! {equal}"), CounterTest::NotEqual))
        .or_else(|| test(&format!("{name}-lt"), CounterTest::Less))
        .or_else(|| test(&format!("{name}-gt"), CounterTest::Greater));
    match found {
        Some(read) => read.map(Some),
        None => Some(None),
    }
}

/// A set behind a word, and the directions behind it.
fn named_set(rest: &mut Rest, word: &str) -> Option<(Box<str>, Vec<bool>)> {
    let name = rest.value(word)?.into();
    let side = |side| match side {
        "src" => Some(true),
        "dst" => Some(false),
        _ => None,
    };
    let directions: Option<Vec<bool>> = rest.next()?.split(',').map(side).collect();
    Some((name, directions?))
}

pub(super) fn set_target_words(rest: &mut Rest) -> Option<SetTarget> {
    let change = |(name, directions)| SetChange { name, directions };
    let mut set = SetTarget {
        span: rest.span(),
        add: named_set(rest, "add-set").map(change),
        exist: rest.eat("exist"),
        ..SetTarget::default()
    };
    if let Some(seconds) = rest.value("timeout") {
        set.timeout = Some(seconds.parse().ok()?);
    }
    set.remove = named_set(rest, "del-set").map(change);
    set.map = named_set(rest, "map-set").map(change);
    set.map_mark = rest.eat("map-mark");
    set.map_prio = rest.eat("map-prio");
    set.map_queue = rest.eat("map-queue");
    let any = set.add.is_some() || set.remove.is_some() || set.map.is_some();
    any.then_some(set)
}
