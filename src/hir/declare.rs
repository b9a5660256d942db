//! Macros that declare the language. A field has one declaration: its type, its row in the table and its description.

/// Declares an item or a block of items. Generates the type, its table of fields and the code that reads it.
///
/// ```text
/// declare! {
///     /// An item. It has a `head`.
///     pub item Tier {
///         /// The description of the field, for the type and for the table.
///         title: Text = required("title", Shape::Text).example("Assistants"),
///     }
/// }
/// declare! {
///     /// A block. A bare argument is the field `name`.
///     pub block Gpu = with_principal("name") { .. }
/// }
/// ```
///
/// The type of a field decides how it is read: `T` is required or has a default, `Option<T>` and `Vec<T>` may be absent.
/// Ids are found by name, and unknown names are reported.
macro_rules! declare {
    (
        $(#[doc = $doc:literal])+
        pub item $name:ident { $($fields:tt)+ }
    ) => {
        declare! { @type $name [$(#[doc = $doc])+] [
            /// Its name, its place and its suppressed findings.
            pub head: crate::hir::Head,
        ] [of] [] { $($fields)+ } }
    };
    (
        $(#[doc = $doc:literal])+
        pub block $name:ident = $table:ident($($principal:literal)?) { $($fields:tt)+ }
    ) => {
        declare! { @type $name [$(#[doc = $doc])+] [] [$table] [$($principal)?] { $($fields)+ } }
    };
    (
        @type $name:ident [$($doc:tt)+] [$($(#[doc = $head_doc:literal])+ pub $head:ident: $head_type:ty,)?]
        [$table:ident] [$($principal:literal)?]
        { $(
            $(#[doc = $field_doc:literal])+
            $field:ident: $type:ty = $presence:ident($row:literal, $shape:expr) $(.$hint:ident($($value:literal),+))*,
        )+ }
    ) => {
        $($doc)+
        #[derive(Clone, PartialEq, Debug)]
        pub struct $name {
            $($(#[doc = $head_doc])+ pub $head: $head_type,)?
            $($(#[doc = $field_doc])+ pub $field: $type,)+
        }

        impl $name {
            /// The fields.
            pub(in crate::hir) const TABLE: crate::hir::Table = crate::hir::Table::$table($($principal,)? &[$(
                crate::hir::Field::$presence($row, $shape, crate::hir::shape::doc(concat!($($field_doc),+)))
                    $(.$hint($($value),+))*,
            )+]);
        }

        impl crate::hir::lower::FromFields for $name {
            fn from_fields(fields: &mut crate::hir::lower::Fields) -> Option<Self> {
                // Read all fields before the first `?`, so that each unknown name is reported.
                let mut rows = Self::TABLE.fields.iter();
                $(let $field = rows.next().and_then(|row| fields.read(row));)+
                Some(Self { $($head: fields.head.clone(),)? $($field: $field?,)+ })
            }
        }

        impl crate::hir::lower::FromValue for $name {
            const IS_BLOCK: bool = true;

            fn from_value(
                value: crate::source::Spanned<crate::hir::lower::TypedValue>,
                fields: &mut crate::hir::lower::Fields,
            ) -> Option<Self> {
                fields.block(value)
            }
        }
    };
}

/// Declares an enum whose variants are words of the language.
macro_rules! declare_words {
    (
        $(#[$meta:meta])+
        pub enum $name:ident { $($(#[$variant_meta:meta])+ $variant:ident = $word:literal,)+ }
    ) => {
        $(#[$meta])+
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize)]
        pub enum $name { $($(#[$variant_meta])+ #[serde(rename = $word)] $variant,)+ }

        impl $name {
            /// All words, in the order of the documentation.
            pub(in crate::hir) const WORDS: &'static [&'static str] = &[$($word),+];
            /// All values, in the same order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word of the language.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl crate::hir::lower::FromTypedValue for $name {
            fn from_value(value: crate::hir::lower::TypedValue) -> Option<Self> {
                match <&str as crate::hir::lower::FromTypedValue>::from_value(value)? {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    };
}
