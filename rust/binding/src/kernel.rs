//! `hookseal.kernel`: which code hashes.

use std::{env, sync::OnceLock};

use hookseal_engine::{Chosen, Kernel, NoKernel};
use pyo3::prelude::*;

use crate::arguments::mistake;

/// Names the kernel to use: for tests, and for a machine whose fastest one misbehaves.
const VARIABLE: &str = "HOOKSEAL_KERNEL";

static CHOSEN: OnceLock<Chosen> = OnceLock::new();

/// Chooses the kernel, once, when the module is imported.
///
/// # Errors
/// `ValueError` if the environment names one that is not to be had; `RuntimeError` if every
/// kernel fails its check.
pub fn choose(py: Python<'_>) -> PyResult<()> {
    // A name that is not UTF-8 is no kernel's; none is what an empty one means to a shell.
    let asked = env::var_os(VARIABLE).filter(|name| !name.is_empty());
    let asked = asked.map(|name| name.to_string_lossy().into_owned());
    let chosen = match &asked {
        None => Chosen::detected(),
        Some(name) => Chosen::named(name),
    };
    match chosen {
        Ok(chosen) => {
            CHOSEN.get_or_init(|| chosen);
            Ok(())
        }
        Err(NoKernel::Unknown(_)) => {
            let here = Kernel::ALL
                .into_iter()
                .filter(|kernel| kernel.is_available());
            let names: Vec<_> = here.map(Kernel::name).collect();
            let arguments = ("kernel", asked.unwrap_or_default(), names.join(", "));
            Err(mistake(py, arguments))
        }
        Err(NoKernel::AllFailed) => Err(mistake(py, ("kernels-broken",))),
    }
}

/// The kernel in use.
pub fn chosen() -> Chosen {
    CHOSEN.get().copied().unwrap_or(Chosen {
        kernel: Kernel::Single,
        failed: None,
    })
}

/// What a `repr` says of a kernel that failed its check; nothing where all is well.
pub fn warning() -> String {
    chosen().failed.map_or_else(String::new, |failed| {
        let (failed, kernel) = (failed.name(), chosen().kernel.name());
        format!(", KERNEL {failed} COMPUTES WRONG MACS: {kernel} in its place")
    })
}

/// The code that hashes batches in this process: ``"avx512"``, ``"shani2"``, ``"avx2"``,
/// ``"single"`` or ``"portable"``. It is the fastest that the processor has, unless the
/// environment variable ``HOOKSEAL_KERNEL`` named another when hookseal was imported.
#[pyfunction]
#[pyo3(name = "kernel")]
pub fn name() -> &'static str {
    chosen().kernel.name()
}
