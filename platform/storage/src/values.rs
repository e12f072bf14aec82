//! Parameters of statements over many rows.

use crate::Engine;
use sqlx::AnyConnection;

/// The parameter lists of `rows` rows of `width` columns, bound row by row: `($1,$2),($3,$4)` for PostgreSQL and
/// `(?,?),(?,?)` for SQLite, which finds a numbered parameter only by walking the list of all of them, so that binding
/// a thousand took longer than storing the rows.
pub fn values(conn: &AnyConnection, rows: usize, width: usize) -> String {
    lists(Engine::of(conn), rows, width)
}

fn lists(engine: Engine, rows: usize, width: usize) -> String {
    let mut out = String::with_capacity(rows * (width + 1) * 6);
    for row in 0..rows {
        out.push_str(if row == 0 { "(" } else { ",(" });
        for column in 0..width {
            if column > 0 {
                out.push(',');
            }
            match engine {
                Engine::Sqlite => out.push('?'),
                Engine::Postgres => {
                    out.push('$');
                    out.push_str(&(row * width + column + 1).to_string());
                }
            }
        }
        out.push(')');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_named_only_where_they_must_be() {
        assert_eq!(lists(Engine::Postgres, 2, 2), "($1,$2),($3,$4)");
        assert_eq!(lists(Engine::Sqlite, 2, 2), "(?,?),(?,?)");
    }
}
