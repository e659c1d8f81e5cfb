// Home: filters, histogram, facets and the list, with the opened session beside it where there is room.

import { ActionIcon, Switch, Tooltip } from "@mantine/core";
import { useHotkeys, useLocalStorage, useMediaQuery } from "@mantine/hooks";
import { IconLayoutSidebar, IconRefresh } from "@tabler/icons-react";
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Outlet, useNavigate, useParams, useRouter } from "@tanstack/react-router";
import { useCallback, useMemo, useRef } from "react";
import { sessionsDownload } from "../api/downloads";
import { facets, histogram, sessions } from "../api/queries";
import type { SessionPart } from "../api/types";
import { between, type Range } from "../filters/range";
import { type ConsoleSearch, emptySearch } from "../filters/search";
import type { Token } from "../filters/token";
import { useAddress, useSetAddress } from "../shell/address";
import { useFinding } from "../shell/finding";
import { Download } from "../ui/Download";
import { Histogram } from "../ui/Histogram";
import { ProblemNote } from "../ui/ProblemNote";
import { FacetRail, railFields } from "./FacetRail";
import { FilterBar } from "./FilterBar";
import { toBars } from "./bars";
import { partKey } from "./identity";
import { NoSessions } from "./NoSessions";
import { inWords, RangePicker } from "./RangePicker";
import { SessionList } from "./SessionList";
import styles from "./SessionsPage.module.css";
import { useVersionMarks } from "./useVersionMarks";

const barsAsked = 90;
const facetValues = 12;
const refreshEvery = 10_000;
/** While nothing has arrived yet, the first sessions should appear by themselves. */
const waitingEvery = 2000;

export function SessionsPage() {
  const search = useAddress();
  const setAddress = useSetAddress();
  const find = useFinding();
  const navigate = useNavigate();
  const router = useRouter();
  const queries = useQueryClient();
  const { sessionId } = useParams({ strict: false });
  const wide = useMediaQuery("(min-width: 75em)", true, { getInitialValueInEffect: false });
  const roomy = useMediaQuery("(min-width: 115em)", false, { getInitialValueInEffect: false });
  const [showFacets, setShowFacets] = useLocalStorage({ key: "threadline-facets", defaultValue: true });
  const [live, setLive] = useLocalStorage({ key: "threadline-live", defaultValue: true });
  const bar = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const { scope } = search;
  const open = sessionId !== undefined;
  const beside = open && wide && !search.full;
  const alone = open && !beside;
  const moving = scope.range.kind === "last";

  const found = useInfiniteQuery({
    ...sessions(scope),
    enabled: !alone,
    // While a session is read the list holds still.
    refetchInterval: (query) =>
      query.state.data?.pages[0]?.total === 0 ? waitingEvery : live && moving && !open ? refreshEvery : false,
  });
  const follow = live && moving && !open ? refreshEvery : false;
  const marks = useVersionMarks();
  const bars = useQuery({ ...histogram(scope, barsAsked), enabled: !alone, refetchInterval: follow });
  const facetsShown = !alone && showFacets && wide && (!open || roomy);
  const counted = useQuery({ ...facets(scope, railFields, facetValues), enabled: facetsShown, refetchInterval: follow });

  const parts = useMemo(() => found.data?.pages.flatMap((page) => page.sessions) ?? [], [found.data]);
  const total = found.data?.pages[0]?.total ?? 0;
  const selected = open ? parts.find((part) => isSelected(part, sessionId, search.day)) : undefined;

  const setTokens = useCallback(
    (tokens: readonly Token[], text: string = scope.text): void => {
      setAddress({ scope: { ...scope, tokens, text } });
    },
    [scope, setAddress],
  );
  const setRange = (range: Range): void => {
    setAddress({ scope: { ...scope, range } });
  };
  const target = useCallback(
    (part: SessionPart) => ({
      to: "/sessions/$sessionId" as const,
      params: { sessionId: part.session_id },
      search: (before: Partial<ConsoleSearch>): ConsoleSearch => ({
        ...emptySearch,
        ...before,
        within: { kind: "list" },
        zoom: undefined,
        day: part.day,
        exchange: undefined,
      }),
    }),
    [],
  );
  const onOpen = useCallback(
    (part: SessionPart, how: "follow" | "open"): void => {
      // Without room for both, walking would leave the list: only Enter does.
      void navigate({ ...target(part), replace: how === "follow" });
    },
    [navigate, target],
  );
  const close = (): void => {
    void navigate({
      to: "/sessions",
      search: (before): ConsoleSearch => ({ ...emptySearch, ...before, within: { kind: "list" }, zoom: undefined, day: undefined, exchange: undefined, full: false }),
    }).then(() => list.current?.focus());
  };
  useHotkeys([
    ["/", () => bar.current?.focus()],
    [
      "Escape",
      () => {
        if (search.exchange !== undefined) {
          setAddress({ exchange: undefined }, { replace: true });
        } else if (open) {
          close();
        }
      },
    ],
    ["r", () => void queries.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== "exchange" })],
  ]);

  if (alone) {
    return <Outlet />;
  }
  const stale = found.isPlaceholderData;
  return (
    <div className={styles.page}>
      <h1 className={styles.hidden}>Sessions</h1>
      <div className={styles.bar}>
        <FilterBar scope={scope} inputRef={bar} onChange={setTokens} onFind={find} />
        <RangePicker range={scope.range} onChange={setRange} />
        <Tooltip label={live ? "Lists follow the traffic while no session is open" : "Lists change only when asked (r)"}>
          <div className={styles.live}>
            <Switch
              size="xs"
              label="live"
              checked={live && moving}
              disabled={!moving}
              onChange={(event) => {
                setLive(event.currentTarget.checked);
              }}
            />
          </div>
        </Tooltip>
        <Tooltip label="Ask again (r)">
          <ActionIcon
            size="lg"
            aria-label="Ask again"
            loading={found.isFetching && !found.isPlaceholderData && !found.isFetchingNextPage && !live}
            onClick={() => {
              void queries.invalidateQueries();
            }}
          >
            <IconRefresh size={18} />
          </ActionIcon>
        </Tooltip>
      </div>
      <div className={styles.over}>
        {bars.data === undefined ? (
          <div className={styles.blank} />
        ) : (
          <Histogram
            {...toBars(bars.data)}
            marks={marks}
            stale={bars.isPlaceholderData}
            onBrush={(from, to) => {
              setRange(between(from, to));
            }}
          />
        )}
      </div>
      <div className={styles.body} data-facets={(facetsShown && total > 0) || undefined} data-beside={beside || undefined}>
        {facetsShown && total > 0 ? (
          <FacetRail answer={counted.data} tokens={scope.tokens} stale={counted.isPlaceholderData} onTokens={setTokens} />
        ) : null}
        <div className={styles.middle}>
          {found.isError ? (
            <ProblemNote
              what="The sessions could not be loaded"
              error={found.error}
              kept={parts.length > 0 ? "What is below was loaded before." : undefined}
              onRetry={() => void found.refetch()}
            />
          ) : null}
          {found.data !== undefined && total === 0 ? (
            <NoSessions scope={scope} onScope={(changed) => { setAddress({ scope: changed }); }} />
          ) : found.isError && parts.length === 0 ? null : (
            <SessionList
              parts={parts}
              total={total}
              over={found.data === undefined ? "loading…" : inWords(scope.range)}
              selected={selected === undefined ? undefined : partKey(selected)}
              stale={stale}
              ownScale={search.ownScale}
              onScale={(ownScale) => {
                setAddress({ ownScale }, { replace: true });
              }}
              narrow={beside}
              hasMore={found.hasNextPage}
              loadingMore={found.isFetchingNextPage}
              onMore={() => void found.fetchNextPage()}
              onOpen={(part, how) => {
                if (how === "open" || wide) {
                  onOpen(part, how);
                }
              }}
              hrefOf={(part) => router.buildLocation(target(part)).href}
              listRef={list}
              aside={
                <>
                  <Download href={sessionsDownload(scope)} label="Download all rows as CSV" />
                  {wide && (!open || roomy) ? (
                  <Tooltip label={showFacets ? "Hide the values" : "Show the values"}>
                    <ActionIcon
                      aria-label="Values"
                      aria-pressed={showFacets}
                      onClick={() => {
                        setShowFacets(!showFacets);
                      }}
                    >
                      <IconLayoutSidebar size={17} />
                    </ActionIcon>
                  </Tooltip>
                ) : null}
                </>
              }
            />
          )}
        </div>
        {beside ? (
          <div className={styles.pane}>
            <Outlet />
          </div>
        ) : null}
      </div>
    </div>
  );
}

function isSelected(part: SessionPart, sessionId: string, day: string | undefined): boolean {
  return part.session_id === sessionId && (day === undefined || part.day === day);
}
