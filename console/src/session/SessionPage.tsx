// One session: header, thread, statistics, exchanges. The address holds what is looked at.

import { Skeleton } from "@mantine/core";
import { useHotkeys, useMediaQuery } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { type ReactNode, useCallback, useMemo } from "react";
import { asProblem } from "../api/problem";
import { exchangesDownload } from "../api/downloads";
import { errorAfter, exchange as exchangeQuery, exchangeAt, exchanges, me, session } from "../api/queries";
import type { Exchange } from "../api/types";
import { between } from "../filters/range";
import { choosesSessions, type ConsoleSearch, emptySearch, withinScope } from "../filters/search";
import { sameToken, type Token } from "../filters/token";
import { useAddress, useSetAddress } from "../shell/address";
import { offerPurge } from "../system/offeredPurge";
import { BigThread } from "../thread/BigThread";
import type { Mark, Span } from "../thread/geometry";
import { Empty } from "../ui/Empty";
import { ProblemNote } from "../ui/ProblemNote";
import { ExchangeList } from "./ExchangeList";
import { SessionHeader } from "./SessionHeader";
import styles from "./SessionView.module.css";
import { Statistics } from "./Statistics";
import { Within } from "./Within";

export function SessionPage() {
  const { sessionId } = useParams({ from: "/inside/sessions/$sessionId" });
  const search = useAddress();
  const setAddress = useSetAddress();
  const navigate = useNavigate();
  const wide = useMediaQuery("(min-width: 75em)", true, { getInitialValueInEffect: false });
  const scope = useMemo(() => withinScope(search), [search]);
  const unzoomed = useMemo(() => withinScope({ ...search, zoom: undefined }), [search]);
  const day = search.zoom === undefined ? search.day : undefined;

  const summary = useQuery(session(sessionId, scope, day));
  const days = useQuery({ ...session(sessionId, unzoomed, undefined, 0), enabled: search.day !== undefined });
  const list = useInfiniteQuery(exchanges(sessionId, scope, day));
  const administrator = useQuery(me).data?.role === "admin";
  const open = useQuery({ ...exchangeQuery(search.exchange ?? ""), enabled: search.exchange !== undefined });

  const rows = useMemo(() => list.data?.pages.flatMap((page) => page.exchanges) ?? [], [list.data]);
  const setOpen = useCallback(
    (exchange: string | undefined) => {
      setAddress({ exchange }, { replace: true });
    },
    [setAddress],
  );
  const setTokens = (tokens: readonly Token[], text: string = scope.text): void => {
    setAddress({ within: { kind: "own", tokens, text } });
  };
  const openMark = (mark: Mark): void => {
    const [from, to] = [new Date(mark.span.from - 1).toISOString(), new Date(mark.span.to + 1).toISOString()];
    const loaded = rows.find((row) => Date.parse(row.ts) >= mark.span.from - 1 && Date.parse(row.ts) <= mark.span.to + 1);
    if (loaded !== undefined) {
      setOpen(loaded.exchange_id);
      return;
    }
    void exchangeAt(sessionId, scope, from, to).then((found) => {
      if (found !== undefined) {
        setOpen(found);
      }
    });
  };
  const nextError = (after: Exchange | undefined): void => {
    const end = summary.data?.range.to;
    if (after !== undefined && list.hasNextPage && end !== undefined) {
      void errorAfter(sessionId, scope, after.ts, end).then((found) => {
        if (found !== undefined) {
          setOpen(found);
        }
      });
    }
  };
  const sessionLink = useCallback(
    (id: string, label: ReactNode) => (
      <Link
        to="/sessions/$sessionId"
        params={{ sessionId: id }}
        search={(before): ConsoleSearch => ({ ...emptySearch, ...before, within: { kind: "all" }, zoom: undefined, day: undefined })}
      >
        {label}
      </Link>
    ),
    [],
  );
  const close = (): void => {
    void navigate({
      to: "/sessions",
      search: (before): ConsoleSearch => ({ ...emptySearch, ...before, within: { kind: "list" }, zoom: undefined, day: undefined, exchange: undefined, full: false }),
    });
  };
  const showAll = (): void => {
    setAddress({ within: { kind: "all" }, zoom: undefined, day: undefined });
  };
  useHotkeys([["f", () => { setAddress({ full: !search.full }, { replace: true }); }]]);

  if (summary.error !== null && summary.data === undefined) {
    return asProblem(summary.error).status === 404 ? (
      <Empty title="No exchange of this session counts here">
        <p>It may be older than what is kept, outside the time range, or the filters leave all of it out.</p>
        <button type="button" className={styles.day} onClick={showAll}>
          Show all its requests
        </button>{" "}
        <button type="button" className={styles.day} onClick={close}>
          Back to the list
        </button>
      </Empty>
    ) : (
      <ProblemNote what="The session could not be loaded" error={summary.error} onRetry={() => void summary.refetch()} />
    );
  }
  if (summary.data === undefined) {
    return (
      <div className={styles.view} aria-busy="true" aria-label="Loading the session">
        <Skeleton height={92} m={16} width="auto" />
        <Skeleton height={112} m={16} width="auto" />
      </div>
    );
  }
  const { data } = summary;
  const purge = (): void => {
    const { user } = data.whole;
    offerPurge({ session: sessionId, ...(user === null || user === undefined ? {} : { user }) });
    void navigate({ to: "/system/purges", search: emptySearch });
  };
  const stale = summary.isPlaceholderData;
  const filtered = scope.tokens.length > 0 || scope.text !== "";
  return (
    <article className={styles.view} aria-label="Session">
      <SessionHeader
        summary={data}
        days={days.data?.parts ?? data.parts}
        day={search.day}
        onDay={(chosen) => {
          setAddress({ day: chosen, zoom: undefined });
        }}
        full={search.full}
        onFull={wide ? () => { setAddress({ full: !search.full }, { replace: true }); } : undefined}
        onClose={close}
        onPurge={administrator ? purge : undefined}
        download={exchangesDownload(sessionId, scope, day)}
        sessionLink={sessionLink}
      />
      {data.whole.thread === null || data.whole.thread === undefined ? null : (
        <div className={styles.thread}>
          <BigThread
            thread={data.whole.thread}
            span={spanOf(data.whole.first, data.whole.last, search.zoom)}
            idle={data.idle_minutes * 60_000}
            openAt={open.data === undefined ? undefined : Date.parse(open.data.ts)}
            stale={stale}
            onOpen={openMark}
            onZoom={(from, to) => {
              const range = between(from, to);
              if (range.kind === "exact") {
                setAddress({ zoom: { from: range.from, to: range.to } });
              }
            }}
          />
        </div>
      )}
      <Within
        kind={search.within.kind}
        scope={scope}
        zoomed={search.zoom !== undefined}
        onChange={setTokens}
        onDrop={showAll}
        onUnzoom={() => {
          setAddress({ zoom: undefined });
        }}
        onLift={() => {
          const kept = search.scope.tokens.filter((token) => choosesSessions(token) && !scope.tokens.some((own) => sameToken(own, token)));
          setAddress({ scope: { ...search.scope, tokens: [...kept, ...scope.tokens], text: scope.text }, within: { kind: "list" } });
        }}
      />
      {summary.isError ? (
        <ProblemNote what="The session could not be loaded again" error={summary.error} kept="What is below was loaded before." />
      ) : null}
      <div className={styles.columns}>
        <Statistics summary={data} tokens={scope.tokens} stale={stale} onTokens={setTokens} />
        <div className={styles.exchanges}>
          {list.isError && rows.length === 0 ? (
            <ProblemNote what="The exchanges could not be loaded" error={list.error} onRetry={() => void list.refetch()} />
          ) : (
            <ExchangeList
              exchanges={rows}
              total={list.data?.pages[0]?.total ?? data.whole.requests}
              loading={list.isPending}
              stale={list.isPlaceholderData}
              filtered={filtered || search.zoom !== undefined}
              oneHost={data.whole.host_count <= 1}
              open={search.exchange}
              onOpen={setOpen}
              hasMore={list.hasNextPage}
              loadingMore={list.isFetchingNextPage}
              onMore={() => void list.fetchNextPage()}
              onNextError={nextError}
              onDropFilters={showAll}
              sessionLink={sessionLink}
            />
          )}
        </div>
      </div>
    </article>
  );
}

/** From the first to the last exchange with a little air, or the zoom. */
function spanOf(first: string, last: string, zoom: ConsoleSearch["zoom"]): Span {
  if (zoom !== undefined) {
    return { from: Date.parse(zoom.from), to: Date.parse(zoom.to) };
  }
  const [from, to] = [Date.parse(first), Date.parse(last)];
  const air = Math.max((to - from) * 0.015, 250);
  return { from: from - air, to: to + air };
}
