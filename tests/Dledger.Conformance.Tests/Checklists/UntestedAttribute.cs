namespace Dledger.Conformance.Tests.Checklists;

/// <summary>Says why an item has no test. It stands beside the feature that it waits for, so that it goes with the reason.</summary>
[AttributeUsage(AttributeTargets.Assembly, AllowMultiple = true)]
internal sealed class UntestedAttribute(string item, string reason) : Attribute
{
    public string Item { get; } = item;

    public string Reason { get; } = reason;
}
