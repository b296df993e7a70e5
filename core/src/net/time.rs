use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// A moment: seconds since 1970 (POSIX, without leap seconds). It is read and written as RFC 3339 has it, in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Time(pub u64);

const DAY: u64 = 86_400;

impl Time {
    /// So many milliseconds later, in seconds.
    pub fn after(self, ms: u64) -> u64 {
        self.0.saturating_add(ms / 1000)
    }
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970 to a year.
fn before(year: u64) -> u64 {
    let leaps = |year: u64| year / 4 - year / 100 + year / 400;
    (year - 1970) * 365 + leaps(year - 1) - leaps(1969)
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut day, second) = (self.0 / DAY, self.0 % DAY);
        let mut year = 1970 + day / 366;
        while before(year + 1) <= day {
            year += 1;
        }
        day -= before(year);
        let mut month = 1;
        while day >= days(year, month) {
            day -= days(year, month);
            month += 1;
        }
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(
            f,
            "{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}Z",
            day + 1
        )
    }
}

impl FromStr for Time {
    type Err = ();

    /// From 1970 to 9999; without a time it is midnight, and seconds may be left out.
    fn from_str(text: &str) -> Result<Self, ()> {
        let text = text.strip_suffix('Z').unwrap_or(text);
        let (date, time) = text.split_once('T').unwrap_or((text, "00:00"));
        let numbers = |text: &str, sign: char, lengths: &[usize]| {
            let parts: Vec<&str> = text.split(sign).collect();
            let fits = |(part, length): (&&str, &usize)| {
                part.len() == *length && part.bytes().all(|b| b.is_ascii_digit())
            };
            let all = parts.len() <= lengths.len() && parts.iter().zip(lengths).all(fits);
            all.then(|| {
                parts
                    .iter()
                    .filter_map(|p| p.parse().ok())
                    .collect::<Vec<u64>>()
            })
        };
        let date = numbers(date, '-', &[4, 2, 2]).ok_or(())?;
        let time = numbers(time, ':', &[2, 2, 2]).ok_or(())?;
        let ([year, month, day], [hour, minute, rest @ ..]) = (&date[..], &time[..]) else {
            return Err(());
        };
        let second = rest.first().copied().unwrap_or(0);
        let date = (1970..=9999).contains(year) && (1..=12).contains(month);
        if !date
            || !(1..=days(*year, *month)).contains(day)
            || *hour > 23
            || *minute > 59
            || second > 59
        {
            return Err(());
        }
        let months: u64 = (1..*month).map(|m| days(*year, m)).sum();
        let days = before(*year) + months + day - 1;
        Ok(Self(days * DAY + hour * 3600 + minute * 60 + second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_reads_as_it_is_written() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_868_800, "2000-03-01T00:00:00Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Time(seconds).to_string(), text);
            assert_eq!(text.parse(), Ok(Time(seconds)));
        }
        assert_eq!("1970-01-02".parse(), Ok(Time(DAY)));
        assert_eq!("1970-01-01T01:02".parse(), Ok(Time(3720)));
    }

    #[test]
    fn what_is_no_moment_is_none() {
        for text in [
            "",
            "now",
            "1969-12-31",
            "2026-13-01",
            "2026-02-29",
            "2026-01-01T24:00",
            "26-01-01",
            "2026-01-01T00",
            "2026-1-1",
            "2026-01-01T00:00:00+08:00",
        ] {
            assert_eq!(text.parse::<Time>(), Err(()), "{text}");
        }
    }
}
