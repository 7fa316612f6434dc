using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Dledger.Primitives;

/// <summary>
/// Checks that stay on in Release builds and whose failure is a bug of ours, never a caller's mistake.
/// </summary>
/// <remarks>
/// A failed check throws <see cref="InvariantViolationException"/>. No code catches it except the top of an owning
/// loop, which stops the node with the message: a state that must not exist is not worked on any further.
/// </remarks>
public static class Invariant
{
    /// <summary>Throws unless <paramref name="condition"/> holds. The message is built only on failure.</summary>
    public static void Check(
        [DoesNotReturnIf(false)] bool condition,
        [InterpolatedStringHandlerArgument(nameof(condition))] InvariantMessage message)
    {
        if (!condition)
        {
            throw new InvariantViolationException(message.ToString());
        }
    }

    /// <summary>Marks a point that cannot be reached.</summary>
    [DoesNotReturn]
    public static void Fail(string message) => throw new InvariantViolationException(message);
}

/// <summary>
/// Formats an invariant's message only when the invariant is broken, so that checks cost no allocation.
/// </summary>
[InterpolatedStringHandler]
public readonly ref struct InvariantMessage
{
    private readonly DefaultInterpolatedStringHandler _text;
    private readonly string? _literal;

    /// <summary>Called by the compiler for an interpolated message.</summary>
    public InvariantMessage(int literalLength, int formattedCount, bool condition, out bool enabled)
    {
        enabled = !condition;
        _literal = null;
        _text = enabled ? new DefaultInterpolatedStringHandler(literalLength, formattedCount) : default;
    }

    private InvariantMessage(string literal)
    {
        _literal = literal;
        _text = default;
    }

    /// <summary>A constant message.</summary>
    public static implicit operator InvariantMessage(string literal) => new(literal);

    /// <summary>Called by the compiler.</summary>
    public void AppendLiteral(string value) => Unsafe.AsRef(in _text).AppendLiteral(value);

    /// <summary>Called by the compiler.</summary>
    public void AppendFormatted<T>(T value) => Unsafe.AsRef(in _text).AppendFormatted(value);

    /// <inheritdoc/>
    public override string ToString() => _literal ?? _text.ToString();
}
