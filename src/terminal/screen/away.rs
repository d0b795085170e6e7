//! While something else has the terminal: an editor, or the shell.

use crate::app::{Effect, Msg, Reply, update};
use crate::terminal::editor;
use crate::terminal::keys::Keys;
use crate::terminal::screen::{Screen, next_event};
use crate::terminal::signals::stop_self;

impl Screen<'_> {
    /// Opens a file in the person's editor.
    pub(super) async fn open(&mut self, path: &str, line: usize) -> anyhow::Result<()> {
        let Some(command) = self.setup.editor.clone() else {
            self.model.say("set $EDITOR to open files in an editor");
            return Ok(());
        };
        let path = self.folder.join(path);
        let opened = self.lend(move || editor::open(&command, &path, line)).await?;
        if let Err(problem) = opened.unwrap_or_else(|error| Err(error.to_string())) {
            self.model.warn(&problem);
        }
        Ok(())
    }

    /// Writes the prompt in the person's editor.
    pub(super) async fn edit(&mut self, text: &str) -> anyhow::Result<()> {
        let Some(command) = self.setup.editor.clone() else {
            self.model.say("set $EDITOR to write prompts in an editor");
            return Ok(());
        };
        let text = text.to_owned();
        let edited = self.lend(move || editor::edit(&command, &text)).await?;
        let edited = edited.unwrap_or_else(|error| Err(format!("the editor failed: {error}")));
        self.only_send(Msg::Done(Reply::Edited(edited)));
        Ok(())
    }

    /// Gives the terminal to other work. The agent's facts are taken meanwhile, so that it can go
    /// on working.
    async fn lend<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> anyhow::Result<Result<T, tokio::task::JoinError>> {
        if let Some(keys) = self.keys.take() {
            keys.end().await;
        }
        self.give_back()?;
        let mut working = tokio::task::spawn_blocking(work);
        let done = loop {
            tokio::select! {
                done = &mut working => break done,
                Some(event) = next_event(&mut self.events) => {
                    self.only_send(Msg::Agent(Box::new(event)));
                }
            }
        };
        self.take_back()?;
        self.keys = Some(Keys::read()?);
        Ok(done)
    }

    /// What concerns the agent is sent; for everything else there is no screen now.
    fn only_send(&mut self, msg: Msg) {
        for effect in update(&mut self.model, msg) {
            if let Effect::Send(command) = effect {
                self.unsent.push_back(command);
            }
        }
    }

    pub(super) fn suspend(&mut self) -> anyhow::Result<()> {
        self.give_back()?;
        stop_self();
        self.resumed = true;
        self.take_back()
    }

    /// Takes the terminal again, and draws everything anew.
    pub(super) fn take_back(&mut self) -> anyhow::Result<()> {
        self.guard.take()?;
        self.surface.forget();
        if let Some(inline) = &mut self.inline {
            inline.forget();
        }
        self.manners.forget();
        self.size = None;
        self.pace.now();
        Ok(())
    }

    /// What is drawn goes, so that nothing of it stands between the lines of others.
    pub(super) fn give_back(&mut self) -> std::io::Result<()> {
        if let Some(inline) = &mut self.inline {
            inline.clear(self.guard, &mut std::io::stdout().lock())?;
        }
        self.guard.give_back();
        Ok(())
    }
}
