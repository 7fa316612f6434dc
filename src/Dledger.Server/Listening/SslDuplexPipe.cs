using System.IO.Pipelines;
using System.Net.Security;

namespace Dledger.Server.Listening;

/// <summary>The two directions of an encrypted stream as Kestrel reads and writes them. Owned by the
/// connection.</summary>
internal sealed class SslDuplexPipe(SslStream stream) : IDuplexPipe
{
    public PipeReader Input { get; } = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true));

    public PipeWriter Output { get; } = PipeWriter.Create(stream, new StreamPipeWriterOptions(leaveOpen: true));

    /// <summary>Flushes what is left and lets both directions go.</summary>
    public async ValueTask CompleteAsync()
    {
        await Input.CompleteAsync();
        try
        {
            await Output.CompleteAsync();
        }
        catch (Exception exception) when (exception
            is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // The other end has gone; there is nobody to flush to.
        }
    }
}
