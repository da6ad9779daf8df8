//! Messages as columns: bodies, and beside them the values of the headers that are signed.

use hookseal_engine::{
    header::{Role, Single, Slot},
    scheme::Scheme,
};
use pyo3::{
    prelude::*,
    types::{PyString, PyTuple},
};

use crate::{
    arguments::{wrong_length, wrong_type},
    headers::{self, Keep},
    items::{drain, is_sequence},
    single::Holders,
    tuples::item,
};

/// The columns of a call of `verify_columns`.
pub struct Columns<'py> {
    pub bodies: Bound<'py, PyTuple>,
    /// By role; None for a column that was not given.
    values: [Option<Bound<'py, PyTuple>>; Role::ALL.len()],
}

impl<'py> Columns<'py> {
    /// Drains the columns; each must have an element for each body.
    pub fn read(
        ids: Option<&Bound<'py, PyAny>>,
        timestamps: Option<&Bound<'py, PyAny>>,
        signatures: Option<&Bound<'py, PyAny>>,
        bodies: &Bound<'py, PyAny>,
    ) -> PyResult<Self> {
        let bodies = drain(bodies, "bodies")?;
        let mut values = [const { None }; Role::ALL.len()];
        for (role, name, column) in [
            (Role::Id, "ids", ids),
            (Role::Timestamp, "timestamps", timestamps),
            (Role::Signature, "signatures", signatures),
        ] {
            values[role as usize] = column
                .map(|column| read_column(name, column, bodies.len()))
                .transpose()?;
        }
        Ok(Self { bodies, values })
    }

    /// The header values of one message that the scheme looks at, where all are exact texts in UTF-8;
    /// of the first family, as in [`Columns::keep`].
    pub fn single<'h>(
        &self,
        index: usize,
        scheme: &Scheme,
        holders: &'h Holders<'py>,
    ) -> Option<Single<'h>> {
        let mut values = [None; Role::ALL.len()];
        for (role, holder) in Role::ALL.into_iter().zip(holders) {
            if let Some(column) = &self.values[role as usize]
                && scheme.header(Slot { family: 0, role }).is_some()
            {
                holder.set(column.get_item(index).ok()?).ok()?;
                let value = holder.get()?.cast_exact::<PyString>().ok()?;
                values[role as usize] = Some(value.to_str().ok()?.as_bytes());
            }
        }
        Some(Single { family: 0, values })
    }

    /// Keeps the header values of one message that the scheme looks at. Where a scheme has
    /// several families of headers, they are those of the first.
    pub fn keep(&self, index: usize, scheme: &Scheme, kept: &mut impl Keep) -> PyResult<()> {
        for role in Role::ALL {
            let slot = Slot { family: 0, role };
            if let Some(column) = &self.values[role as usize]
                && scheme.header(slot).is_some()
            {
                let value = item(column, index)?;
                headers::take_value(slot, &value, Some(scheme), kept)?;
            }
        }
        Ok(())
    }
}

fn read_column<'py>(
    name: &str,
    column: &Bound<'py, PyAny>,
    count: usize,
) -> PyResult<Bound<'py, PyTuple>> {
    if !is_sequence(column)? {
        return Err(wrong_type("column", column, Some(name)));
    }
    let column = drain(column, "column")?;
    if column.len() != count {
        return Err(wrong_length(column.py(), name, column.len(), count));
    }
    Ok(column)
}
