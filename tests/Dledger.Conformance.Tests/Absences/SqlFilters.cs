using Dledger.Conformance.Tests.Checklists;

[assembly: Untested("45", "no SQL filters yet")]
