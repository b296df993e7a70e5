//! Where the parts of a host stand: beside each other where there is room, else below each other.

use super::geometry::Rect;

/// In less room than this, a host's parts stand below each other.
const ACROSS: i32 = 500;
const PART_HEIGHT: i32 = 48;
const LOCAL_HEIGHT: i32 = 28;
/// Of parts below each other.
const ROW_HEIGHT: i32 = 44;
const ROW_GAP: i32 = 16;
/// Of a pod's parts.
const INSIDE_HEIGHT: i32 = 34;

/// What a node's own packets and those that pass through it meet.
pub(super) struct Stack {
    /// Its ways out, the first one beside the first hook.
    pub uplinks: Vec<Rect>,
    pub prerouting: Rect,
    pub routing: Rect,
    pub forward: Rect,
    pub postrouting: Rect,
    pub input: Rect,
    pub process: Rect,
    pub output: Rect,
    pub bottom: i32,
}

impl Stack {
    pub fn of(inner: Rect, uplinks: usize) -> Self {
        if inner.w < ACROSS {
            Self::down(inner, uplinks)
        } else {
            Self::across(inner, uplinks)
        }
    }

    /// Two rows, local above.
    fn across(inner: Rect, uplinks: usize) -> Self {
        let (widths, gap) = shared([86, 100, 74, 80, 110], [102, 112, 88, 96, 122], inner.w);
        let row = inner.y + LOCAL_HEIGHT + 18;
        let mut x = inner.x;
        let mut columns = widths.map(|w| {
            let rect = Rect::new(x, row, w, PART_HEIGHT);
            x += w + gap;
            rect
        });
        columns[4].w = inner.right() - columns[4].x;
        let [first, prerouting, routing, forward, postrouting] = columns;
        let above = |column: Rect| Rect {
            y: inner.y,
            h: LOCAL_HEIGHT,
            ..column
        };
        let height = shared_height(PART_HEIGHT, uplinks);
        Self {
            // Several stand over each other, the first one lowest.
            uplinks: (0..uplinks as i32)
                .map(|at| Rect {
                    y: first.bottom() - height - at * (height + 4),
                    h: height,
                    ..first
                })
                .collect(),
            prerouting,
            routing,
            forward,
            postrouting,
            input: above(routing),
            process: above(forward),
            output: above(postrouting),
            bottom: row + PART_HEIGHT,
        }
    }

    /// Two columns beside the ways out: what passes through goes down the first one, what is local down the second.
    fn down(inner: Rect, uplinks: usize) -> Self {
        let grid = Grid::of(inner, ROW_HEIGHT, ROW_GAP);
        let first = grid.cell(0, 0);
        let height = shared_height(ROW_HEIGHT, uplinks);
        Self {
            uplinks: (0..uplinks as i32)
                .map(|at| Rect {
                    y: first.y + at * (height + 4),
                    h: height,
                    ..first
                })
                .collect(),
            prerouting: grid.cell(1, 0),
            routing: grid.cell(1, 1),
            forward: grid.cell(1, 2),
            postrouting: grid.cell(1, 3),
            input: grid.cell(2, 1),
            process: grid.cell(2, 2),
            output: grid.cell(2, 3),
            bottom: grid.cell(0, 3).bottom(),
        }
    }
}

/// A pod's parts in the order in which a request meets them: its interface, PREROUTING, routing, INPUT, the process, and
/// OUTPUT and POSTROUTING of what it sends.
pub(super) fn inside(inner: Rect) -> [Rect; 7] {
    if inner.w < ACROSS {
        let grid = Grid::of(inner, INSIDE_HEIGHT, ROW_GAP);
        let cells = [(0, 0), (1, 0), (1, 1), (2, 1), (2, 2), (2, 3), (1, 3)];
        return cells.map(|(column, row)| grid.cell(column, row));
    }
    let (widths, gap) = shared(
        [40, 92, 54, 51, 56, 60, 101],
        [56, 100, 70, 60, 70, 68, 108],
        inner.w,
    );
    let mut x = inner.x;
    widths.map(|w| {
        let rect = Rect::new(x, inner.y, w, INSIDE_HEIGHT);
        x += w + gap;
        rect
    })
}

/// Three columns.
struct Grid {
    columns: [Rect; 3],
    gap: i32,
}

impl Grid {
    fn of(inner: Rect, height: i32, row_gap: i32) -> Self {
        let (widths, gap) = shared([68, 100, 60], [110, 124, 110], inner.w);
        let mut x = inner.x;
        let columns = widths.map(|w| {
            let rect = Rect::new(x, inner.y, w, height);
            x += w + gap;
            rect
        });
        Self {
            columns,
            gap: row_gap,
        }
    }

    fn cell(&self, column: usize, row: i32) -> Rect {
        let rect = self.columns[column];
        Rect {
            y: rect.y + row * (rect.h + self.gap),
            ..rect
        }
    }
}

/// Of each, where several share the place of one.
fn shared_height(height: i32, count: usize) -> i32 {
    match count {
        0 | 1 => height,
        _ => (height - 4) / 2,
    }
}

/// Widths between the least and the most, and the gap between them, of boxes beside each other in so much room.
fn shared<const N: usize>(least: [i32; N], most: [i32; N], room: i32) -> ([i32; N], i32) {
    const GAP: i32 = 12;
    let gaps = N as i32 - 1;
    let (least_sum, most_sum): (i32, i32) = (least.iter().sum(), most.iter().sum());
    let spare = (room - gaps * GAP - least_sum).clamp(0, most_sum - least_sum);
    let mut widths = least;
    for (width, most) in widths.iter_mut().zip(most) {
        *width += (most - *width) * spare / (most_sum - least_sum).max(1);
    }
    (widths, (room - widths.iter().sum::<i32>()) / gaps.max(1))
}
