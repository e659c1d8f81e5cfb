// Short names for the types of the API. They come from the OpenAPI document; nothing is declared by hand here, so a
// change of the API shows in the type check.

import type { components } from "./schema.gen";

type Schemas = components["schemas"];

export type Count = Schemas["Count"];
export type Thread = Schemas["Thread"];
export type SessionPart = Schemas["SessionPart"];
export type SessionList = Schemas["SessionList"];
export type SessionSummary = Schemas["SessionSummary"];
export type SessionLink = Schemas["SessionLink"];
export type Facet = Schemas["Facet"];
export type FacetList = Schemas["FacetList"];
export type Histogram = Schemas["Histogram"];
export type HistogramBar = Schemas["HistogramBar"];
export type Exchange = Schemas["Exchange"];
export type ExchangeList = Schemas["ExchangeList"];
export type ExchangeDetails = Schemas["ExchangeDetails"];
export type TraceStep = Schemas["TraceStep"];
export type KeyReport = Schemas["KeyReport"];
export type KeyReportList = Schemas["KeyReportList"];
export type PolicyAnswer = Schemas["PolicyAnswer"];
export type PolicyDocument = Schemas["PolicyDocument"];
export type PolicyCheck = Schemas["PolicyCheck"];
export type PolicyWarning = Schemas["PolicyWarning"];
export type PolicyVersion = Schemas["PolicyVersion"];
export type PolicyVersionChanges = Schemas["PolicyVersionChanges"];
export type PolicyVersionDetails = Schemas["PolicyVersionDetails"];
export type PolicyVersionList = Schemas["PolicyVersionList"];
export type ResolvedClient = Schemas["ResolvedClient"];
export type ResolvedClientList = Schemas["ResolvedClientList"];
export type ScopeDocument = Schemas["ScopeDocument"];
export type BuiltInRule = Schemas["BuiltInRule"];
export type PointCheck = Schemas["PointCheck"];
export type Status = Schemas["Status"];
export type ApiToken = Schemas["ApiToken"];
export type Role = Schemas["Role"];
export type PersonRole = Schemas["PersonRole"];
export type Me = Schemas["Me"];
export type FacetName = Schemas["FacetName"];
export type HashesOfValue = Schemas["HashesOfValue"];
export type Person = Schemas["Person"];
export type Purge = Schemas["Purge"];
export type PurgeCounts = Schemas["PurgeCounts"];
export type PurgeKind = Schemas["PurgeKind"];
