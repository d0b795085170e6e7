//! Usage to money, and the ledger.
