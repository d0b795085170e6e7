//! Tokens to money, the ledger of every request, and budgets.
//!
//! All sums are of integer micro-dollars, so a sum of parts is the whole to the last digit. A
//! request whose price is not known has no cost, which is not a cost of zero.
//!
//! Not for knowing prices: those are data of the table of models.

pub mod budget;
pub mod ledger;
pub mod prices;
pub mod sums;
