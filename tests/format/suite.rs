//! The official KDL test suite: formatting a valid document keeps its tree.

use crate::fuzz::layout::check_layout;

mod tools {
    use super::*;

    #[test]
    fn valid_documents_of_the_official_suite_keep_their_trees() {
        let folder = crate::kdl::suite::folder().join("input");
        let mut formatted = 0;
        for case in std::fs::read_dir(folder).unwrap() {
            let path = case.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            formatted += usize::from(check_layout(&path.to_string_lossy(), &text).is_some());
        }
        assert!(formatted > 200, "{formatted}");
    }
}
