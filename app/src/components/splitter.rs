use yew::prelude::*;

use crate::browser::events;
use crate::state::PANE_WIDTHS;

#[derive(Clone, PartialEq, Properties)]
pub struct SplitterProps {
    pub label: &'static str,
    pub width: u32,
    /// The pane is right of the splitter.
    #[prop_or_default]
    pub mirrored: bool,
    pub onresize: Callback<u32>,
}

/// Between two panes: dragged, or moved with the arrow keys.
#[component]
pub fn Splitter(props: &SplitterProps) -> Html {
    // Where the drag began: the pointer, and the pane's width then.
    let drag = use_mut_ref(|| None::<(i32, u32)>);
    let SplitterProps {
        width, mirrored, ..
    } = *props;
    let wider = move |by: i32| {
        let by = if mirrored { -by } else { by };
        width.saturating_add_signed(by)
    };
    let onpointerdown = {
        let drag = drag.clone();
        Callback::from(move |event: PointerEvent| {
            events::capture_pointer(&event);
            *drag.borrow_mut() = Some((event.client_x(), width));
        })
    };
    let onpointermove = {
        let (drag, onresize) = (drag.clone(), props.onresize.clone());
        Callback::from(move |event: PointerEvent| {
            if let Some((from, width)) = *drag.borrow() {
                let by = event.client_x() - from;
                let by = if mirrored { -by } else { by };
                onresize.emit(width.saturating_add_signed(by));
            }
        })
    };
    let onpointerup = Callback::from(move |_: PointerEvent| *drag.borrow_mut() = None);
    let onkeydown = {
        let onresize = props.onresize.clone();
        Callback::from(move |event: KeyboardEvent| {
            let by = match event.key().as_str() {
                "ArrowLeft" => -16,
                "ArrowRight" => 16,
                _ => return,
            };
            event.prevent_default();
            onresize.emit(wider(by));
        })
    };
    html! {
        <div class="splitter" role="separator" tabindex="0" aria-orientation="vertical"
            aria-label={props.label}
            aria-valuenow={width.to_string()}
            aria-valuemin={PANE_WIDTHS.start().to_string()}
            aria-valuemax={PANE_WIDTHS.end().to_string()}
            {onpointerdown} {onpointermove} onpointercancel={onpointerup.clone()} {onpointerup} {onkeydown} />
    }
}
