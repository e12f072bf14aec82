import { Trans, useLingui } from "@lingui/react/macro";
import type { Id, Official, OrgUnit, Post } from "@pakawaaz/api/protocol";
import { Avatar, EmptyState, Skeleton } from "@pakawaaz/ui";
import { Link } from "@tanstack/react-router";
import { Building2, ChevronRight, Landmark } from "lucide-react";
import { useCallback, useEffect, useMemo, useState } from "react";
import { Button, Collection, Tree, TreeItem, TreeItemContent } from "react-aria-components";
import { useEngine } from "../app/engine.tsx";
import { useFormat } from "../app/i18n.tsx";
import { UserText } from "../chat/parts/user-text";
import { FindError } from "./find-page";
import { StandingBadges } from "./standing";
import { treeOf, type UnitNode } from "./tree";
import { useOfficial } from "./use-find";

/** Ministries, divisions, wings and sections; the posts of the chosen one below. */
export function OrganisationTree() {
  const { t } = useLingui();
  const engine = useEngine();
  const format = useFormat();
  const [units, setUnits] = useState<OrgUnit[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [chosen, setChosen] = useState<Id | null>(null);
  const load = useCallback(() => {
    setError(null);
    engine.call("units", {}).then((reply) => setUnits(reply.units), setError);
  }, [engine]);
  useEffect(load, [load]);
  const tree = useMemo(
    () => treeOf(units ?? [], (a, b) => format.name(a.name).localeCompare(format.name(b.name), format.locale)),
    [units, format],
  );
  if (error) return <FindError error={error} onAgain={load} />;
  if (!units) {
    return (
      <div role="status" aria-label={t`Loading the organisation`} className="flex flex-col gap-3 p-3">
        <Skeleton className="h-8 w-2/3" />
        <Skeleton className="ms-6 h-8 w-1/2" />
        <Skeleton className="ms-6 h-8 w-3/5" />
      </div>
    );
  }
  if (tree.length === 0) return <EmptyState icon={Landmark} title={t`The organisation is empty`} />;
  const picked = units.find((unit) => unit.unit === chosen);
  return (
    <div className="grid gap-4 md:grid-cols-2">
      <Tree
        aria-label={t`Organisation`}
        items={tree}
        selectionMode="single"
        selectionBehavior="replace"
        disallowEmptySelection
        selectedKeys={chosen ? [chosen] : []}
        onSelectionChange={(keys) => setChosen(keys === "all" ? null : (([...keys][0] as string) ?? null))}
        defaultExpandedKeys={tree.map((unit) => unit.unit)}
        className="outline-none"
      >
        {(unit) => <Unit unit={unit} />}
      </Tree>
      <section aria-live="polite" aria-label={picked ? format.name(picked.name) : t`Posts`}>
        {picked ? (
          <Posts unit={picked} />
        ) : (
          <p className="rounded-card border border-dashed border-line p-6 text-center text-muted">
            <Trans>Choose a ministry, division, wing or section to see its posts.</Trans>
          </p>
        )}
      </section>
    </div>
  );
}

function Unit({ unit }: { unit: UnitNode }) {
  const { t } = useLingui();
  const format = useFormat();
  const name = format.name(unit.name);
  const kinds = { ministry: t`Ministry`, division: t`Division`, wing: t`Wing`, section: t`Section` };
  const Icon = unit.kind === "ministry" ? Landmark : Building2;
  return (
    <TreeItem
      id={unit.unit}
      textValue={name}
      className="cursor-default rounded-control outline-offset-[-2px] hover:bg-hover selected:bg-brand-soft"
    >
      <TreeItemContent>
        {({ hasChildItems, isExpanded, level }) => (
          <div
            className="flex min-h-12 items-center gap-1 pe-2"
            style={{ paddingInlineStart: `${(level - 1) * 1.1}rem` }}
          >
            {hasChildItems ? (
              <Button
                slot="chevron"
                aria-label={isExpanded ? t`Fold ${name}` : t`Unfold ${name}`}
                className="grid size-9 shrink-0 place-items-center rounded-full text-muted hover:bg-pressed"
              >
                <ChevronRight size={18} aria-hidden className={isExpanded ? "rotate-90" : "mirror"} />
              </Button>
            ) : (
              <span className="w-9 shrink-0" />
            )}
            <Icon size={18} aria-hidden className="text-muted" />
            <span className="min-w-0 flex-1 ps-1">
              <UserText>{name}</UserText> <span className="text-sm text-muted">{kinds[unit.kind]}</span>
            </span>
          </div>
        )}
      </TreeItemContent>
      <Collection items={unit.children}>{(child) => <Unit unit={child} />}</Collection>
    </TreeItem>
  );
}

function Posts({ unit }: { unit: OrgUnit }) {
  const { t } = useLingui();
  const engine = useEngine();
  const format = useFormat();
  const [posts, setPosts] = useState<Post[] | null>(null);
  const [error, setError] = useState<unknown>(null);
  const load = useCallback(() => {
    setError(null);
    setPosts(null);
    let current = true;
    engine.call("posts", { unit: unit.unit }).then(
      (reply) => current && setPosts(reply.posts),
      (refused) => current && setError(refused),
    );
    return () => {
      current = false;
    };
  }, [engine, unit.unit]);
  useEffect(load, [load]);
  return (
    <div className="rounded-card border border-line p-2">
      <h2 className="px-2 py-1 font-semibold">
        <UserText>{format.name(unit.name)}</UserText>
      </h2>
      {error ? (
        <FindError error={error} onAgain={load} />
      ) : !posts ? (
        <div role="status" aria-label={t`Loading posts`} className="flex flex-col gap-2 p-2">
          <Skeleton className="h-10" />
          <Skeleton className="h-10" />
        </div>
      ) : posts.length === 0 ? (
        <p className="p-2 text-muted">
          <Trans>No posts directly here. Look in its parts.</Trans>
        </p>
      ) : (
        <ul>
          {[...posts]
            .sort((a, b) => b.grade - a.grade)
            .map((post) => (
              <li key={post.post}>
                {post.holder ? <Held post={post} holder={post.holder} /> : <Vacant post={post} />}
              </li>
            ))}
        </ul>
      )}
    </div>
  );
}

function Held({ post, holder }: { post: Post; holder: Id }) {
  const { t } = useLingui();
  const format = useFormat();
  const { official } = useOfficial(holder);
  return (
    <Link
      to="/official/$id"
      params={{ id: holder }}
      className="flex min-h-14 items-center gap-3 rounded-control px-2 py-1 text-ink no-underline outline-offset-[-2px] hover:bg-hover"
    >
      <Avatar id={holder} name={nameOf(official, format)} size="small" />
      <span className="min-w-0 flex-1">
        <UserText block className="truncate font-medium">
          {nameOf(official, format) || "…"}
        </UserText>
        <UserText block className="truncate text-sm text-muted">
          {format.name(post.title)}
        </UserText>
        <StandingBadges post={{ ...post, standing: post.standing ?? undefined }} />
      </span>
      <span className="text-sm text-muted">{t`BS-${post.grade}`}</span>
    </Link>
  );
}

function nameOf(official: Official | null, format: ReturnType<typeof useFormat>): string {
  return official ? format.name(official.name) : "";
}

function Vacant({ post }: { post: Post }) {
  const { t } = useLingui();
  const format = useFormat();
  return (
    <div className="flex min-h-14 items-center gap-3 px-2 py-1">
      <span className="size-8 shrink-0 rounded-full border-2 border-dashed border-line-strong" aria-hidden />
      <span className="min-w-0 flex-1">
        <span className="block text-muted italic">
          <Trans>Vacant</Trans>
        </span>
        <UserText block className="truncate text-sm text-muted">
          {format.name(post.title)}
        </UserText>
      </span>
      <span className="text-sm text-muted">{t`BS-${post.grade}`}</span>
    </div>
  );
}
