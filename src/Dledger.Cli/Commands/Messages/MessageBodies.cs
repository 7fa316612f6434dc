using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Dledger.Cli.Commands.Messages;

/// <summary>The bodies that a command line asks to send, one after another.</summary>
/// <param name="input">Lines when neither a body nor a file is given.</param>
/// <param name="body">The only body, or null.</param>
/// <param name="file">The file whose lines are sent, or null.</param>
/// <param name="isWhole">The whole file or input is one body.</param>
/// <param name="count">How often each body is sent; <c>{n}</c> in it becomes the number of the repetition.</param>
internal sealed class MessageBodies(TextReader input, string? body, string? file, bool isWhole, int count)
{
    /// <summary>Lines without content are left out: a message must have a body.</summary>
    public async IAsyncEnumerable<byte[]> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var text in ReadTextsAsync(cancellationToken))
        {
            for (var n = 1; n <= count && text.Length > 0; n++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return Encoding.UTF8.GetBytes(count == 1
                    ? text
                    : text.Replace("{n}", n.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal));
            }
        }
    }

    private async IAsyncEnumerable<string> ReadTextsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (body is not null)
        {
            yield return body;
            yield break;
        }

        using var opened = file is null ? null : OpenFile(file);
        var reader = opened ?? input;
        if (isWhole)
        {
            yield return await reader.ReadToEndAsync(cancellationToken);
            yield break;
        }

        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            yield return line;
        }
    }

    private static StreamReader OpenFile(string path)
    {
        try
        {
            return new StreamReader(path, Encoding.UTF8);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new FileNotFoundException($"The file '{path}' does not exist.", exception);
        }
    }
}
