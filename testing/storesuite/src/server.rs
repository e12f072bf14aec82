//! A throw-away PostgreSQL server.

use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, Weak, mpsc};
use std::time::Duration;

/// Environment variable with the URL of a running server's superuser.
pub const POSTGRES_ENV: &str = "PAKAWAAZ_TEST_POSTGRES";

const INSTALL: &str = "PostgreSQL is needed for this test; install it with: apt-get install -y postgresql";

/// A PostgreSQL server on a Unix socket in a temporary directory, stopped when dropped; or one that runs
/// already.
pub struct Server {
    url: String,
    owned: Option<Owned>,
}

struct Owned {
    pid: u32,
    stopped: Mutex<mpsc::Receiver<()>>,
    durable: bool,
    dir: tempfile::TempDir,
}

impl Owned {
    fn ended_within(&self, patience: Duration) -> bool {
        let stopped = self.stopped.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        stopped.recv_timeout(patience).is_ok()
    }

    fn crash(&self) {
        // SIGQUIT: immediate shutdown.
        let _ = Command::new("kill").args(["-QUIT", &self.pid.to_string()]).status();
        self.ended_within(Duration::from_secs(10));
    }
}

/// The server this process shares among its tests: the one from the environment, or one of its own that
/// stops when the last user drops it (a static would never be dropped).
pub(crate) fn shared() -> Arc<Server> {
    static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(server) = shared.upgrade() {
        return server;
    }
    let server = match std::env::var(POSTGRES_ENV) {
        Ok(url) if !url.is_empty() => Arc::new(Server { url, owned: None }),
        _ => Arc::new(Server::start(false).unwrap_or_else(|error| panic!("{error:#}"))),
    };
    *shared = Arc::downgrade(&server);
    server
}

impl Server {
    /// Starts a server of its own; `durable` keeps fsync on (for crash tests and honest timings).
    ///
    /// Errors: missing binaries (the text names the package), or PostgreSQL's own message.
    pub fn start(durable: bool) -> Result<Self> {
        let bin = find_binaries().context(INSTALL)?;
        let user = Unprivileged::choose()?;
        let dir = tempfile::Builder::new().prefix("pakawaaz-pg-").tempdir()?;
        user.own(dir.path())?;
        let data = dir.path().join("data");

        let mut initdb = user.command(&bin.join("initdb"), dir.path());
        initdb.arg("--pgdata").arg(&data).args([
            "--username=postgres",
            "--auth=trust", // the socket's directory belongs to one user and has mode 0700
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "--no-instructions",
        ]);
        let made = initdb.output().context("initdb does not start")?;
        ensure!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));

        let (pid, stopped) = launch(&bin, &user, dir.path(), durable)?;
        let socket = dir.path().to_string_lossy().replace('/', "%2F");
        let server = Self {
            url: format!("postgres://postgres@localhost/postgres?host={socket}"),
            owned: Some(Owned { pid, stopped: Mutex::new(stopped), durable, dir }),
        };
        server.wait_until_ready(&bin)?;
        Ok(server)
    }

    /// A second server that follows this one by streaming replication, and without which nothing is committed any more: a
    /// transaction of this server ends when it is on both, and to be seen on both.
    ///
    /// Errors: as [`Server::start`]; this server has to be one that was started here.
    pub fn follow(&self) -> Result<Self> {
        let bin = find_binaries().context(INSTALL)?;
        let user = Unprivileged::choose()?;
        let from = self.owned.as_ref().context("a server of somebody else is not followed")?;
        let dir = tempfile::Builder::new().prefix("pakawaaz-pg-").tempdir()?;
        user.own(dir.path())?;
        let mut copy = user.command(&bin.join("pg_basebackup"), dir.path());
        copy.args(["--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"]);
        copy.arg("--username=postgres").arg("--host").arg(from.dir.path());
        copy.arg("--pgdata").arg(dir.path().join("data"));
        let made = copy.output().context("pg_basebackup does not start")?;
        ensure!(made.status.success(), "pg_basebackup failed: {}", String::from_utf8_lossy(&made.stderr));
        let (pid, stopped) = launch(&bin, &user, dir.path(), from.durable)?;
        let socket = dir.path().to_string_lossy().replace('/', "%2F");
        let server = Self {
            url: format!("postgres://postgres@localhost/postgres?host={socket}"),
            owned: Some(Owned { pid, stopped: Mutex::new(stopped), durable: from.durable, dir }),
        };
        server.wait_until_ready(&bin)?;
        for sql in [
            "ALTER SYSTEM SET synchronous_standby_names = '*'",
            "ALTER SYSTEM SET synchronous_commit = 'remote_apply'",
            "SELECT pg_reload_conf()",
        ] {
            self.psql(sql)?;
        }
        Ok(server)
    }

    /// Makes a following server one of its own.
    ///
    /// Errors: PostgreSQL's own message.
    pub fn promote(&self) -> Result<()> {
        self.psql("SELECT pg_promote()").map(drop)
    }

    /// What the superuser is told, as text.
    ///
    /// Errors: PostgreSQL's own message.
    pub fn psql(&self, sql: &str) -> Result<String> {
        let bin = find_binaries().context(INSTALL)?;
        let owned = self.owned.as_ref().context("a server of somebody else")?;
        let mut psql = Command::new(bin.join("psql"));
        psql.args(["--no-psqlrc", "--tuples-only", "--no-align", "--username=postgres", "--dbname=postgres", "--host"]);
        let said = psql.arg(owned.dir.path()).args(["--command", sql]).output().context("psql does not start")?;
        ensure!(said.status.success(), "{sql}: {}", String::from_utf8_lossy(&said.stderr));
        Ok(String::from_utf8_lossy(&said.stdout).trim().to_owned())
    }

    /// `kill -9` of the server; its own processes end when they notice. The data stays for [`Server::recover`].
    pub fn kill(&self) {
        if let Some(owned) = &self.owned {
            let _ = Command::new("kill").args(["-KILL", &owned.pid.to_string()]).status();
            owned.ended_within(Duration::from_secs(10));
        }
    }

    fn wait_until_ready(&self, bin: &Path) -> Result<()> {
        let Some(owned) = &self.owned else { return Ok(()) };
        let log = owned.dir.path().join("log");
        for _ in 0..600 {
            let ready = Command::new(bin.join("pg_isready"))
                .args(["--quiet", "--username=postgres", "--host"])
                .arg(owned.dir.path())
                .status()?;
            if ready.success() {
                return Ok(());
            }
            if owned.ended_within(Duration::from_millis(50)) {
                bail!("postgres stopped: {}", std::fs::read_to_string(&log).unwrap_or_default());
            }
        }
        bail!("postgres did not become ready in 30 s: {}", std::fs::read_to_string(&log).unwrap_or_default())
    }

    /// URL of the superuser in database `postgres`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same for another database of the server.
    pub fn url_of(&self, database: &str) -> String {
        let (base, query) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let root = match base.splitn(4, '/').collect::<Vec<_>>()[..] {
            [scheme, _, authority, ..] => format!("{scheme}//{authority}"),
            _ => base.to_owned(),
        };
        if query.is_empty() { format!("{root}/{database}") } else { format!("{root}/{database}?{query}") }
    }

    /// Stops the server at once, without a checkpoint (a crash, as far as clients can tell).
    pub fn stop(&mut self) {
        if let Some(owned) = self.owned.take() {
            owned.crash();
        }
    }

    /// As [`Server::stop`], but the data stays for [`Server::recover`]. Nothing happens to a server of somebody else.
    pub fn crash(&self) {
        if let Some(owned) = &self.owned {
            owned.crash();
        }
    }

    /// Starts a crashed server again, at the same URL; it recovers from its log first.
    ///
    /// Errors: as [`Server::start`].
    pub fn recover(&mut self) -> Result<()> {
        let bin = find_binaries().context(INSTALL)?;
        if let Some(owned) = &mut self.owned {
            let (pid, stopped) = launch(&bin, &Unprivileged::choose()?, owned.dir.path(), owned.durable)?;
            (owned.pid, owned.stopped) = (pid, Mutex::new(stopped));
        }
        self.wait_until_ready(&bin)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Starts `postgres` over `dir/data`. Gives its process id, and what tells when it has ended.
fn launch(bin: &Path, user: &Unprivileged, dir: &Path, durable: bool) -> Result<(u32, mpsc::Receiver<()>)> {
    let data = dir.join("data");
    let mut postgres = user.command(&bin.join("postgres"), dir);
    postgres.arg("-D").arg(&data).arg("-k").arg(dir);
    for setting in ["listen_addresses=", "max_connections=200", "shared_buffers=64MB", "log_min_messages=fatal"] {
        postgres.args(["-c", setting]);
    }
    if !durable {
        for setting in ["fsync=off", "full_page_writes=off"] {
            postgres.args(["-c", setting]);
        }
    }
    let log = std::fs::File::create(dir.join("log"))?;
    postgres.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);

    // The kernel kills the server when the *thread* that started it ends, so that thread stays until
    // the server is gone.
    let (report, started) = mpsc::channel();
    let (ended, stopped) = mpsc::channel();
    std::thread::spawn(move || {
        match postgres.spawn() {
            Ok(mut child) => {
                let _ = report.send(Ok(child.id()));
                let _ = child.wait();
            }
            Err(error) => {
                let _ = report.send(Err(error));
            }
        }
        let _ = ended.send(());
    });
    let pid = started.recv().context("the starter thread ended")?.context("postgres does not start")?;
    Ok((pid, stopped))
}

/// Newest of Debian's versioned directories, or wherever `PATH` finds them.
fn find_binaries() -> Option<PathBuf> {
    let complete = |dir: &Path| ["initdb", "postgres", "pg_isready"].iter().all(|b| dir.join(b).is_file());
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, dir)| complete(dir))
        .collect();
    versions.sort();
    versions
        .pop()
        .map(|(_, dir)| dir)
        .or_else(|| std::env::split_paths(&std::env::var_os("PATH")?).find(|dir| complete(dir)))
}

/// PostgreSQL refuses to run as root, so root hands over to another user.
struct Unprivileged {
    /// User and group id, when they must change.
    ids: Option<(u32, u32)>,
}

impl Unprivileged {
    fn choose() -> Result<Self> {
        if id_of("-u", None)? != 0 {
            return Ok(Self { ids: None });
        }
        for user in ["postgres", "nobody"] {
            if let (Ok(uid), Ok(gid)) = (id_of("-u", Some(user)), id_of("-g", Some(user))) {
                return Ok(Self { ids: Some((uid, gid)) });
            }
        }
        bail!("root cannot run PostgreSQL, and there is no user postgres or nobody to run it")
    }

    fn own(&self, dir: &Path) -> Result<()> {
        if let Some((uid, gid)) = self.ids {
            std::os::unix::fs::chown(dir, Some(uid), Some(gid))?;
        }
        Ok(())
    }

    /// The program as that user; it gets SIGQUIT (immediate shutdown) when its parent dies.
    fn command(&self, program: &Path, home: &Path) -> Command {
        let mut command = Command::new("setpriv");
        if let Some((uid, gid)) = self.ids {
            command.arg(format!("--reuid={uid}")).arg(format!("--regid={gid}")).arg("--clear-groups");
        }
        command.args(["--pdeathsig", "QUIT", "--"]).arg(program);
        command.current_dir(home).env("LC_ALL", "C.UTF-8");
        command
    }
}

fn id_of(what: &str, user: Option<&str>) -> Result<u32> {
    let output = Command::new("id").arg(what).args(user).output().context("the program id is missing")?;
    ensure!(output.status.success(), "no such user");
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_databases_keep_authority_and_query() {
        let server = |url: &str| Server { url: url.into(), owned: None };
        assert_eq!(
            server("postgres://postgres@localhost/postgres?host=%2Ftmp%2Fx").url_of("t1"),
            "postgres://postgres@localhost/t1?host=%2Ftmp%2Fx"
        );
        assert_eq!(server("postgres://a:b@h:5432/postgres").url_of("t1"), "postgres://a:b@h:5432/t1");
        assert_eq!(server("postgres://a@h").url_of("t1"), "postgres://a@h/t1");
    }
}
