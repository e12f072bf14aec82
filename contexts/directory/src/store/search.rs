//! Table `directory_search`.

use super::{Result, id, officials};
use crate::model::search::{Cursor, Patterns, index};
use pakawaaz_base::{Millis, OfficialId};
use sqlx::AnyConnection;

/// Rebuilds the searchable row of an official from the other tables.
pub async fn refresh(conn: &mut AnyConnection, official: OfficialId, now: Millis) -> Result<()> {
    let Some(official) = officials::by_id(&mut *conn, official, now).await? else { return Ok(()) };
    let index = index(&official);
    sqlx::query(
        "INSERT INTO directory_search (official, who, what, grade, sort_key) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (official) DO UPDATE SET
           who = excluded.who, what = excluded.what, grade = excluded.grade, sort_key = excluded.sort_key",
    )
    .bind(official.official.to_vec())
    .bind(index.who)
    .bind(index.what)
    .bind(index.grade)
    .bind(index.sort_key)
    .execute(conn)
    .await?;
    Ok(())
}

/// Up to `limit` matches after the cursor: better class first, then higher grade, then by name.
///
/// Reads every row: `LIKE '%…%'` has no index on either engine. Tens of thousands of officials take some tens
/// of milliseconds; beyond that this statement is the place for trigrams or full text.
pub async fn find(
    conn: &mut AnyConnection,
    patterns: &Patterns,
    after: Option<Cursor>,
    limit: i64,
) -> Result<Vec<Cursor>> {
    // The first page starts before every possible match.
    let (score, grade, official) =
        after.map_or((-1, 0, Vec::new()), |after| (after.score, after.grade, after.official.to_vec()));
    let mut query = sqlx::query_as::<_, (Vec<u8>, i64, i64)>(
        "WITH hit AS (
             SELECT official, grade, sort_key, CAST(CASE
                 WHEN who LIKE $1 ESCAPE '!' THEN 0
                 WHEN what LIKE $1 ESCAPE '!' THEN 1
                 WHEN who LIKE $2 ESCAPE '!' THEN 2
                 WHEN what LIKE $2 ESCAPE '!' THEN 3
                 WHEN who LIKE $3 ESCAPE '!' THEN 4
                 WHEN what LIKE $3 ESCAPE '!' THEN 5
                 WHEN who LIKE $4 ESCAPE '!' THEN 6
                 WHEN what LIKE $4 ESCAPE '!' THEN 7
                 ELSE 8 END AS BIGINT) AS score
             FROM directory_search
             WHERE (who || what) LIKE $5 ESCAPE '!' AND (who || what) LIKE $6 ESCAPE '!'
               AND (who || what) LIKE $7 ESCAPE '!' AND (who || what) LIKE $8 ESCAPE '!'
               AND (who || what) LIKE $9 ESCAPE '!' AND (who || what) LIKE $10 ESCAPE '!'),
         start AS (SELECT COALESCE((SELECT sort_key FROM directory_search WHERE official = $13), $13) AS sort_key)
         SELECT h.official, h.score, h.grade FROM hit h CROSS JOIN start s
         WHERE h.score > $11 OR (h.score = $11 AND (h.grade < $12 OR (h.grade = $12 AND
               (h.sort_key > s.sort_key OR (h.sort_key = s.sort_key AND h.official > $13)))))
         ORDER BY h.score, h.grade DESC, h.sort_key, h.official LIMIT $14",
    );
    for pattern in
        [&patterns.exact, &patterns.prefix, &patterns.word, &patterns.substring].into_iter().chain(&patterns.words)
    {
        query = query.bind(pattern);
    }
    let rows = query.bind(score).bind(grade).bind(official).bind(limit).fetch_all(conn).await?;
    rows.into_iter()
        .map(|(official, score, grade)| Ok(Cursor { score, grade, official: id(&official, OfficialId::from_slice)? }))
        .collect()
}
