// interim
type Time = string;
export interface paths { [path: string]: unknown }
export interface components {
  schemas: {
    Range: { from: Time; to: Time };
    Count: { value: string | null; exchanges: number; sessions: number };
    ThreadBin: { index: number; ok?: number; redirect?: number; client_error?: number; server_error?: number; no_response?: number; attacks?: number; blocked?: number };
    Thread: { from: Time; to: Time; bins_total: number; bins: components["schemas"]["ThreadBin"][] };
    SessionPart: {
      session_id: string; day: string; first: Time; last: Time; requests: number; attacks: number; blocked: number; errors: number;
      ips: components["schemas"]["Count"][]; ip_count: number; hosts: components["schemas"]["Count"][]; host_count: number;
      applications: components["schemas"]["Count"][]; user: string | null; user_hashed: boolean; role: string | null; role_hashed: boolean;
      endpoints: components["schemas"]["Count"][]; endpoint_count: number; key: string; key_kind: string; key_value: string; key_value_hashed: boolean;
      user_agent: string | null; thread: components["schemas"]["Thread"] | null;
    };
    SessionList: { range: components["schemas"]["Range"]; total: number; next_page_token: string | null; sessions: components["schemas"]["SessionPart"][] };
    Facet: { field: string; values: components["schemas"]["Count"][] };
    FacetList: { range: components["schemas"]["Range"]; facets: components["schemas"]["Facet"][] };
    SessionLink: { from: string; to: string; exchange_id: string; ts: Time; exchanges: number; from_fallback: boolean };
    Gap: { from: Time; to: Time };
    SessionSummary: {
      session_id: string; range: components["schemas"]["Range"]; idle_minutes: number; whole: components["schemas"]["SessionPart"]; parts: components["schemas"]["SessionPart"][];
      facets: components["schemas"]["Facet"][]; users: components["schemas"]["Count"][]; roles: components["schemas"]["Count"][]; links: components["schemas"]["SessionLink"][]; gaps: components["schemas"]["Gap"][];
    };
    ExchangeParameter: { name: string; value: string; hashed: boolean; origin: string; hidden: boolean };
    ParseNote: { part: string; parser: string; offset: number; reason: string };
    Exchange: {
      ts: Time; ingested_at: Time; exchange_id: string; node: string; source: string; policy_version: number; application: string; host: string | null; scheme: string | null; proto: string | null;
      method: string; path: string; query: string | null; endpoint: string; protocol: string; operation: string | null; status: number | null; outcome: string; duration_us: number | null; upstream_us: number | null;
      request_bytes: number; response_bytes: number; client_ip: string | null; user_agent: string | null; ja3: string | null; ja4: string | null; session_id: string; session_key: string; session_key_kind: string;
      session_value: string; session_value_hashed: boolean; session_value_origin: string; session_uncertain: boolean; request_session_id: string | null; request_session_key_kind: string | null; trace_id: string | null;
      user: string | null; role: string | null; params: components["schemas"]["ExchangeParameter"][]; attacks: number; action: string; parse_errors: components["schemas"]["ParseNote"][];
    };
    ExchangeList: { range: components["schemas"]["Range"]; total: number; next_page_token: string | null; exchanges: components["schemas"]["Exchange"][] };
    TraceStep: { name: string; point: string; outcome: string };
    BuiltInRule: { name: string; description: string };
    ExchangeDetails: components["schemas"]["Exchange"] & { trace: components["schemas"]["TraceStep"][] | null; built_in: components["schemas"]["BuiltInRule"] | null };
    HistogramBar: { from: Time; counts: components["schemas"]["ThreadBin"]; sessions: number };
    Histogram: { range: components["schemas"]["Range"]; bars: components["schemas"]["HistogramBar"][] };
  };
}
