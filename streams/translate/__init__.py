"""What others say in their own standards, as our records: FHIR, HL7 v2, and envelopes around records of ours."""
