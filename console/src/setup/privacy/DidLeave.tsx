// What did leave: the export ledger over a range, by node and field. It holds no value.

import { SegmentedControl, Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Amount } from "../../ui/Amount";
import { Captured } from "../../ui/Captured";
import { Empty } from "../../ui/Empty";
import { bytes, exactly } from "../../ui/format";
import { ProblemNote } from "../../ui/ProblemNote";
import setup from "../Setup.module.css";
import { FieldName } from "./FieldName";
import { FormBadge } from "./FormBadge";
import styles from "./Privacy.module.css";
import { type Ledger, ledger, type LedgerRange } from "./questions";
import { byNode, type NodeLedger } from "./words";

const ranges: readonly { readonly value: LedgerRange; readonly label: string }[] = [
  { value: "7d", label: "7 days" },
  { value: "30d", label: "30 days" },
  { value: "all", label: "All" },
];

export function DidLeave() {
  const [range, setRange] = useState<LedgerRange>("7d");
  const { data, error, refetch, isPlaceholderData } = useQuery(ledger(range));
  return (
    <section className={`${setup.section} ${styles.part}`} aria-labelledby="did-leave">
      <header className={styles.partHead}>
        <h2 id="did-leave">What did leave</h2>
        <SegmentedControl
          size="xs"
          aria-label="Days of the ledger"
          value={range}
          onChange={(chosen) => {
            setRange(ranges.find(({ value }) => value === chosen)?.value ?? "7d");
          }}
          data={ranges.map(({ value, label }) => ({ value, label }))}
        />
      </header>
      {error === null ? null : (
        <ProblemNote
          what="The export ledger could not be loaded"
          error={error}
          kept={data === undefined ? undefined : "What is below was true before."}
          onRetry={() => void refetch()}
        />
      )}
      {data === undefined ? (
        error === null ? (
          <Skeleton height={180} aria-label="Loading the export ledger" />
        ) : null
      ) : (
        <div className={isPlaceholderData || error !== null ? "stale" : undefined}>
          <Nodes of={data} range={range} />
        </div>
      )}
    </section>
  );
}

function Nodes({ of, range }: { readonly of: Ledger; readonly range: LedgerRange }) {
  if (of.fields.length === 0) {
    return (
      <Empty title={range === "all" ? "Nothing left a node yet" : "Nothing left a node in these days"}>
        <p>The hub counts each field of what nodes export once it is stored. Send a request through a node, and its fields stand here.</p>
      </Empty>
    );
  }
  return (
    <>
      <p className={styles.quiet}>
        Counted once it was stored, by UTC day, kept for {exactly(of.kept_days)} days. The ledger holds no value.
        {of.more ? " Only the 5,000 fields with most bytes are shown." : ""}
      </p>
      {byNode(of.fields).map((node, place) => (
        <Node key={node.node ?? "\u0000"} node={node} heading={`ledger-${place}`} />
      ))}
    </>
  );
}

function Node({ node: { node, bytes: total, fields }, heading }: { readonly node: NodeLedger; readonly heading: string }) {
  const most = Math.max(...fields.map((field) => field.bytes), 1);
  return (
    <>
      <h3 id={heading} className={styles.groupTitle}>
        {node === undefined ? "Further nodes" : <Captured text={node} wrap />} <span className={styles.count}>{bytes(total)}</span>
      </h3>
      <div className={`${styles.table} ${styles.ledger}`} role="table" aria-labelledby={heading}>
        <div className={styles.heads} role="row">
          <span role="columnheader">Field</span>
          <span role="columnheader">Form</span>
          <span role="columnheader">Values</span>
          <span role="columnheader">Bytes</span>
        </div>
        {fields.map((field) => (
          <div key={`${field.field} ${field.form}`} className={styles.row} role="row">
            <span role="rowheader" className={styles.name} title={`${field.first_day} to ${field.last_day}`}>
              <FieldName field={field.field} />
            </span>
            <span role="cell">
              <FormBadge form={field.form} />
            </span>
            <span role="cell" className={styles.amount}>
              <Amount value={field.values} />
            </span>
            <span role="cell" className={styles.share} title={`${exactly(field.bytes)} bytes`}>
              <span className={styles.track}>
                <span className={styles.fill} style={{ width: `${(field.bytes / most) * 100}%` }} />
              </span>
              {bytes(field.bytes)}
            </span>
          </div>
        ))}
      </div>
    </>
  );
}
