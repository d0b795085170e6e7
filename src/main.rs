//! Parse, run, exit code. Everything else is in the library.

fn main() -> std::process::ExitCode {
    tern::cli::main()
}
