namespace Dledger.Client.Administration;

/// <summary>How a change of the members stands.</summary>
/// <param name="IsDone">It holds and is committed.</param>
/// <param name="WaitsFor">What it waits for; empty when done.</param>
public sealed record MembershipProgress(bool IsDone, string WaitsFor);
