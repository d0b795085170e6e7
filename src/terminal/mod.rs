//! The full-screen driver.
