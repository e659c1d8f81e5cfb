// Why the list is empty: nothing was ever seen, nothing in this time, or nothing that passes the filters.

import { Button, Group, Loader } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { status } from "../api/queries";
import type { Scope } from "../filters/search";
import { Command } from "../ui/Command";
import { Empty } from "../ui/Empty";
import { plural } from "../ui/format";
import { Moment } from "../ui/Moment";
import { inWords } from "./RangePicker";

export function NoSessions({ scope, onScope }: { readonly scope: Scope; readonly onScope: (scope: Scope) => void }) {
  const { data } = useQuery(status);
  if (data === undefined) {
    return <div aria-busy="true" />;
  }
  const everything: Scope["range"] = { kind: "last", last: "all" };
  const filtered = scope.tokens.length > 0 || scope.text !== "";
  if (data.store.exchanges === 0) {
    return (
      <Empty title="No traffic yet">
        <p>Nothing has passed the proxy so far. Put it in front of your API and send a request through it:</p>
        <p>
          <Command>threadline serve --upstream http://127.0.0.1:9000</Command>
        </p>
        <p>
          <Command>curl http://127.0.0.1:8080/</Command>
        </p>
        <p>
          or look at a recording: <Command>threadline import har recording.har</Command>
        </p>
        <Group justify="center" gap="xs" mt="sm" role="status">
          <Loader size={14} type="dots" /> waiting for the first exchange
        </Group>
      </Empty>
    );
  }
  return (
    <Empty title={filtered ? "No session passes these filters" : "No session in this time"}>
      <p>
        Looked at: {inWords(scope.range)}. The store holds {plural(data.store.exchanges, "exchange")}
        {data.store.span === null || data.store.span === undefined ? null : (
          <>
            {" "}
            from <Moment at={data.store.span.from} /> to <Moment at={data.store.span.to} />
          </>
        )}
        .
      </p>
      <Group justify="center" gap="xs" mt="sm">
        {filtered ? (
          <Button
            variant="default"
            onClick={() => {
              onScope({ ...scope, tokens: [], text: "" });
            }}
          >
            Drop the filters
          </Button>
        ) : null}
        {scope.range.kind === "last" && scope.range.last === "all" ? null : (
          <Button
            variant="default"
            onClick={() => {
              onScope({ ...scope, range: everything });
            }}
          >
            Look at everything kept
          </Button>
        )}
      </Group>
    </Empty>
  );
}
