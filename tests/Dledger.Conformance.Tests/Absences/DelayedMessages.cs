using Dledger.Conformance.Tests.Checklists;

[assembly: Untested("29", "no delayed messages yet")]
[assembly: Untested("30", "no delayed messages yet")]
