using Dledger.Primitives;

namespace Dledger.Storage.Logs;

/// <summary>Why a log cannot be used as it is: bytes that were durable are not there any more.</summary>
/// <param name="Position">The first position that cannot be trusted.</param>
/// <param name="Reason">What was found, for an operator.</param>
/// <param name="IsOwnLoss">
/// Whether it is this log that lost bytes, so that another copy may take its place. False where a file belongs to somebody else, to a
/// newer version or to nobody: then a person has to look first.
/// </param>
public sealed record LogDamage(LogPosition Position, string Reason, bool IsOwnLoss = false);
