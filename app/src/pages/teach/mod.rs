//! The page for teachers.

mod goals;
mod own;
mod sheet;

pub use own::of_files;

use yew::prelude::*;

use self::own::OwnExercise;
use self::sheet::ClassSheet;
use super::course::header;
use super::keep;
use super::settings::use_page_settings;
use crate::i18n::course::course;

#[derive(PartialEq, Properties)]
pub struct TeachProps {
    /// What the address hands in.
    pub given: String,
}

/// For teachers: what was handed in, marked; an exercise of one's own.
#[component]
pub fn Teach(TeachProps { given }: &TeachProps) -> Html {
    let settings = use_state_eq(keep::settings);
    let words = course(settings.lang);
    use_page_settings(*settings, words.teach);
    html! {
        <div class="sheet">
            { header(&settings, words.teach, words) }
            <main>
                <ClassSheet lang={settings.lang} given={given.clone()} />
                <OwnExercise lang={settings.lang} />
            </main>
        </div>
    }
}
