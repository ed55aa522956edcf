//! The codes with which DHIS2 refuses nothing of ours, whatever changes behind our back, each with the reason.

pub(super) const NEVER_MET: [(&str, &str); 45] = [
    ("E7603", "the head of our bodies names no unit"),
    (
        "E7604",
        "the head of our bodies names no attribute option combo",
    ),
    (
        "E7611",
        "a period is written as DHIS2 does, of the data set's type and known to the version",
    ),
    ("E7614", "DHIS2 gives E7613 before"),
    ("E7616", "DHIS2 gives E7615 before"),
    (
        "E7618",
        "a value of ours is never empty, a delete's neither",
    ),
    ("E7630", "the category option combo is always written"),
    ("E7631", "the attribute option combo is always written"),
    ("E7637", "storedBy is never sent"),
    (
        "E7644",
        "DHIS2 gives E7643 before, as the data set is always named",
    ),
    ("E7645", "the import strategy DELETE is never asked for"),
    ("E8000", "atomic imports are never asked for"),
    ("E8001", "bodies are JSON"),
    ("E8002", "the data set is always named"),
    ("E8003", "the data set is always named"),
    (
        "E8004",
        "the data set's UID is well-formed, or the mapping is not read",
    ),
    (
        "E8005",
        "objects are named by UID, and an unknown one gives E8020",
    ),
    ("E8006", "bodies are JSON"),
    ("E8007", "bodies are JSON"),
    ("E8008", "completeDate is never sent"),
    ("E8009", "completeDate is never sent"),
    ("E8034", "no deletion scope is ever sent"),
    ("E8035", "no deletion scope is ever sent"),
    ("E8100", "the period is always written"),
    ("E8101", "combos are named by UID, not by their options"),
    ("E8102", "the data element is always written"),
    (
        "E8103",
        "objects are named by UID, and an unknown one gives E8020",
    ),
    ("E8104", "UIDs are well-formed"),
    ("E8105", "the unit is always written"),
    ("E8106", "UIDs are well-formed"),
    (
        "E8107",
        "objects are named by UID, and an unknown one gives E8022",
    ),
    (
        "E8108",
        "objects are named by UID, and an unknown one gives E8024",
    ),
    ("E8109", "UIDs are well-formed"),
    (
        "E8110",
        "objects are named by UID, and an unknown one gives E8023",
    ),
    ("E8111", "UIDs are well-formed"),
    ("E8120", "a value of ours is never empty"),
    ("E8121", "a value of ours is never empty"),
    ("E8126", "both combos are always written"),
    ("E8127", "both combos are always written"),
    ("E8128", "no cell is sent twice in one import"),
    ("E8200", "nothing is exported by other id schemes"),
    ("E8201", "nothing is exported by other id schemes"),
    ("E8202", "nothing is exported by other id schemes"),
    ("E8203", "nothing is exported by other id schemes"),
    ("E8204", "nothing is exported by other id schemes"),
];

/// All codes of an import of data values up to 2.42 (DHIS2's `ErrorCode`, `DataValueImportConflict`).
#[rustfmt::skip]
pub(super) const UP_TO_242: [&str; 32] = [
    "E7600", "E7601", "E7603", "E7604", "E7610", "E7611", "E7612", "E7613",
    "E7614", "E7615", "E7616", "E7617", "E7618", "E7619", "E7620", "E7621",
    "E7630", "E7631", "E7632", "E7633", "E7634", "E7635", "E7636", "E7637",
    "E7638", "E7639", "E7640", "E7641", "E7642", "E7643", "E7644", "E7645",
];

/// All codes of an import of data values from 2.43 on (DHIS2's `ErrorCode`).
#[rustfmt::skip]
pub(super) const FROM_243: [&str; 51] = [
    "E8000", "E8001", "E8002", "E8003", "E8004", "E8005", "E8006", "E8007",
    "E8008", "E8009", "E8010", "E8011", "E8012", "E8020", "E8021", "E8022",
    "E8023", "E8024", "E8025", "E8030", "E8031", "E8032", "E8033", "E8034",
    "E8035", "E8100", "E8101", "E8102", "E8103", "E8104", "E8105", "E8106",
    "E8107", "E8108", "E8109", "E8110", "E8111", "E8120", "E8121", "E8122",
    "E8123", "E8124", "E8125", "E8126", "E8127", "E8128", "E8200", "E8201",
    "E8202", "E8203", "E8204",
];
