using Dledger.Conformance.Tests.Checklists;

[assembly: Untested("31", "no transactions yet")]
[assembly: Untested("32", "no transactions yet")]
[assembly: Untested("33", "no transactions yet")]
[assembly: Untested("34", "no transactions yet")]
[assembly: Untested("35", "no transactions yet")]
