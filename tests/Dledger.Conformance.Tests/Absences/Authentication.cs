using Dledger.Conformance.Tests.Checklists;

[assembly: Untested("5", "no authentication yet")]
[assembly: Untested("7", "no authentication yet")]
