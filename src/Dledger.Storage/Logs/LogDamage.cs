using Dledger.Primitives;

namespace Dledger.Storage.Logs;

/// <summary>Why a log cannot be used as it is: bytes that were durable are not there any more.</summary>
/// <param name="Position">The first position that cannot be trusted.</param>
/// <param name="Reason">What was found, for an operator.</param>
public sealed record LogDamage(LogPosition Position, string Reason);
