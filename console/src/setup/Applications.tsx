// Named sets of hosts and paths, in order: the first that matches is an exchange's application.

import { Badge, Button, TagsInput, TextInput } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { exchangesByApplication } from "../api/policy";
import { Captured } from "../ui/Captured";
import { about, byRow, bySection, elsewhere, type RowComplaints } from "./complaints";
import { type ApplicationDraft, move, newApplication, replace } from "./draft";
import { RowTools } from "./RowTools";
import { Share } from "./Share";
import { Sortable, useSortableRow } from "./Sortable";
import styles from "./Setup.module.css";
import { useSetup } from "./useSetup";

export function Applications() {
  const { base, draft, readOnly, problems, change, setOpen } = useSetup();
  const { applications } = draft;
  const complaints = byRow(problems, "applications");
  const wrong = bySection(problems, "applications").get("");
  const { data } = useQuery(exchangesByApplication());
  const counts = useMemo(() => new Map(data?.facets[0]?.values.map(({ value, exchanges }) => [value ?? "", exchanges] as const)), [data]);
  const whole = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const full = applications.length >= base.limits.applications;
  const onMove = (from: number, to: number): void => {
    change({ applications: move(applications, from, to) });
  };
  return (
    <section className={styles.section} aria-label="Applications">
      <div className={styles.head}>
        <div>
          <h2>Applications</h2>
          <p className={styles.lead}>
            Named sets of hosts and paths. The first that matches is an exchange’s application; keys, masks and filters can be
            limited to one.
          </p>
        </div>
        {readOnly ? null : (
          <Button
            leftSection={<IconPlus size={15} />}
            disabled={full}
            title={full ? `There may be at most ${base.limits.applications} applications` : undefined}
            onClick={() => {
              const added = newApplication(applications);
              change({ applications: [...applications, added] });
              setOpen(`applications ${added.key}`);
            }}
          >
            Add an application
          </Button>
        )}
      </div>
      {wrong === undefined ? null : <p className={styles.error}>{wrong}</p>}
      <Sortable ids={applications.map(({ key }) => String(key))} onMove={onMove}>
        <ol className={styles.ladder} aria-label="Applications in order">
          {applications.map((application, position) => (
            <Row
              key={application.key}
              application={application}
              position={position}
              complaints={complaints.get(position)}
              share={data === undefined ? undefined : { count: counts.get(application.id) ?? 0, whole }}
              onMove={onMove}
            />
          ))}
          <li className={styles.rung}>
            <div className={styles.row}>
              <span className={styles.order}>
                <span className={styles.number} aria-hidden="true">
                  ·
                </span>
              </span>
              <div className={styles.what}>
                <span className={styles.name}>default</span>
                <span className={styles.aside}>{applications.length === 0 ? "all traffic" : "everything else"}</span>
              </div>
              {data === undefined ? <span /> : <Share count={counts.get("default") ?? 0} whole={whole} />}
            </div>
          </li>
        </ol>
      </Sortable>
    </section>
  );
}

interface RowProps {
  readonly application: ApplicationDraft;
  readonly position: number;
  readonly complaints: RowComplaints | undefined;
  readonly share: { readonly count: number; readonly whole: number } | undefined;
  readonly onMove: (from: number, to: number) => void;
}

function Row({ application, position, complaints, share, onMove }: RowProps) {
  const { draft, readOnly, change, open: held, setOpen } = useSetup();
  const key = `applications ${application.key}`;
  const open = held === key;
  const toggle = (): void => {
    setOpen(open ? undefined : key);
  };
  const name = application.id === "" ? "unnamed" : application.id;
  const sortable = useSortableRow(String(application.key), name, readOnly || open);
  const [wrong] = complaints?.values() ?? [];
  const where = [...application.hosts, ...application.paths];
  return (
    <li ref={sortable.ref} style={sortable.style} className={styles.rung} data-open={open || undefined} data-dragging={sortable.dragging || undefined}>
      <div className={styles.row}>
        <span className={styles.order}>
          {sortable.handle}
          <span className={styles.number} aria-hidden="true">
            {position + 1}
          </span>
        </span>
        <div className={styles.what}>
          <span className={styles.name}>
            <button type="button" className={styles.open} aria-expanded={open} disabled={readOnly} onClick={toggle}>
              <Captured text={application.name === "" ? name : application.name} />
            </button>
            {application.name === "" ? null : <Badge size="sm" color="gray">{name}</Badge>}
          </span>
          <span className={styles.aside}>{where.length === 0 ? "no host and no path yet" : <Captured text={where.join("  ")} wrap mono />}</span>
          {wrong === undefined || open ? null : <p className={styles.error}>{wrong}</p>}
        </div>
        {share === undefined ? <span /> : <Share count={share.count} whole={share.whole} />}
        {readOnly ? null : (
          <RowTools
            name={name}
            first={position === 0}
            last={position === draft.applications.length - 1}
            onMove={(by) => {
              onMove(position, position + by);
            }}
            onEdit={toggle}
            onDelete={() => {
              change({ applications: draft.applications.filter((one) => one.key !== application.key) });
            }}
          />
        )}
      </div>
      {open && !readOnly ? (
        <Editor
          application={application}
          complaints={complaints}
          onChange={(part) => {
            change({ applications: replace(draft.applications, application.key, part) });
          }}
          onClose={() => {
            setOpen(undefined);
          }}
        />
      ) : null}
    </li>
  );
}

interface EditorProps {
  readonly application: ApplicationDraft;
  readonly complaints: RowComplaints | undefined;
  readonly onChange: (change: Partial<ApplicationDraft>) => void;
  readonly onClose: () => void;
}

const split = [",", ";", " "];

function Editor({ application, complaints, onChange, onClose }: EditorProps) {
  const rest = elsewhere(complaints, ["id", "name", "hosts", "paths"]);
  return (
    <div className={styles.editor} role="group" aria-label={`Application ${application.id === "" ? "new" : application.id}`}>
      <div className={styles.scope}>
        <TextInput
          label="ID"
          description="Small letters, digits, dots, hyphens; stays the same"
          // oxlint-disable-next-line jsx-a11y/no-autofocus -- somebody just asked for a new row: this is where they go on
          autoFocus={application.id === ""}
          maxLength={64}
          value={application.id}
          error={about(complaints, "id")}
          onChange={(event) => {
            onChange({ id: event.currentTarget.value });
          }}
        />
        <TextInput
          label="Name"
          description="For people; empty: the ID"
          maxLength={64}
          value={application.name}
          error={about(complaints, "name")}
          onChange={(event) => {
            onChange({ name: event.currentTarget.value });
          }}
        />
        <TagsInput
          label="Hosts"
          description="A name, or *.shop.example for all below it; with a port only that port"
          placeholder={application.hosts.length === 0 ? "any" : ""}
          splitChars={split}
          value={[...application.hosts]}
          error={about(complaints, "hosts")}
          onChange={(hosts) => {
            onChange({ hosts });
          }}
        />
        <TagsInput
          label="Paths"
          description="Each with everything below it; * is any text of a segment, ** any segments"
          placeholder={application.paths.length === 0 ? "any" : ""}
          splitChars={split}
          value={[...application.paths]}
          error={about(complaints, "paths")}
          onChange={(paths) => {
            onChange({ paths });
          }}
        />
      </div>
      {rest === undefined ? null : <p className={styles.error}>{rest}</p>}
      <div className={styles.end}>
        <Button variant="default" onClick={onClose}>
          Done
        </Button>
      </div>
    </div>
  );
}
