//! What a ring knows of the use of its secrets, as Python has it.

use hookseal_engine::{ring::Snapshot, usage::Usage};
use pyo3::{
    prelude::*,
    types::{PyDict, PyList},
};

use crate::arguments::called;

/// `hookseal.Usage` of every secret, by endpoint and label.
pub fn by_label<'py>(py: Python<'py>, snapshot: &Snapshot) -> PyResult<Bound<'py, PyDict>> {
    let class = py.import("hookseal._usage")?.getattr("Usage")?;
    let usage = PyDict::new(py);
    for (endpoint, label, used) in each(snapshot) {
        let matched = used.matched();
        let (first, last) = matched.seen.unzip();
        usage.set_item(
            (endpoint, label),
            class.call1((matched.count, last, first))?,
        )?;
    }
    Ok(usage)
}

/// Adds to a usage file what `saved` does not know of.
pub fn save(
    py: Python<'_>,
    snapshot: &Snapshot,
    path: &Bound<'_, PyAny>,
    saved: &Bound<'_, PyDict>,
) -> PyResult<()> {
    let rows = PyList::empty(py);
    for (endpoint, label, used) in each(snapshot) {
        let matched = used.matched();
        let (first, last) = matched.seen.unzip();
        rows.append((endpoint, label, used.number(), matched.count, last, first))?;
    }
    called(py, "hookseal._usage_file", "save", (path, rows, saved)).map(|_| ())
}

fn each(snapshot: &Snapshot) -> impl Iterator<Item = (&str, &str, &Usage)> {
    snapshot.endpoints().flat_map(|endpoint| {
        let held = endpoint.held().iter();
        held.map(|held| (endpoint.name(), &*held.label, &**held.usage()))
    })
}
