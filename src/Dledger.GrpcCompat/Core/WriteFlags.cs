namespace Grpc.Core;

/// <summary>Wishes for one written message.</summary>
[Flags]
public enum WriteFlags
{
    /// <summary>Another message follows soon: it need not be sent before that one.</summary>
    BufferHint = 0x1,

    /// <summary>This message is sent plain even where the call is compressed.</summary>
    NoCompress = 0x2,
}
