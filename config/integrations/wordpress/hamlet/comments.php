<?php
/**
 * Comments: one comes in and is judged; a moderator decides and Hamlet is told. Whatever happens to Hamlet, no comment is lost and none is
 * published unseen for it: what it could not judge is pending, and sent again by wp-cron.
 */

namespace Hamlet;

defined( 'ABSPATH' ) || exit;

const RESEND_AFTER_SECONDS = 300;
const RESEND_AT_ONCE       = 20;
/** Hamlet keeps 4 KB of a page's text by default and cuts what is more. Characters: WordPress brings `mb_substr` where PHP has none, and not `mb_strcut`. */
const EXCERPT_CHARS_MAX = 4096;
const HONEYPOT          = 'hamlet_subject';
const KINDS             = array( '', 'comment', 'trackback', 'pingback' );

/** What happens within one request of a browser. */
final class Now {
	/** The text as it was typed, before WordPress filters it. */
	public static ?string $typed = null;
	/** The record of a comment that was judged and has no id yet. */
	public static ?array $judged = null;
	/** A status is being set for Hamlet; that is nobody's decision. */
	public static bool $obeys = false;
	/** Hamlet did not answer a moment ago: fifty rulings at once must not wait fifty times. */
	public static bool $is_down = false;
}

add_filter(
	'preprocess_comment',
	static function ( array $comment ): array {
		Now::$typed  = wp_unslash( (string) ( $comment['comment_content'] ?? '' ) );
		Now::$judged = null;
		return $comment;
	},
	0
);

add_filter( 'pre_comment_approved', __NAMESPACE__ . '\judge', 99, 2 );

/** `$approved` is what WordPress and other plugins made of it: 1, 0, spam, trash, or an error that ends it. */
function judge( mixed $approved, mixed $comment ): mixed {
	if ( is_wp_error( $approved ) || ! is_array( $comment ) || ! in_array( $comment['comment_type'] ?? '', KINDS, true ) ) {
		return $approved;
	}
	// Old plugins judge a comment twice; Hamlet would count it twice.
	if ( '' === setting( 'api_key' ) || null !== Now::$judged ) {
		return $approved;
	}
	$request = wp_json_encode( request_of( $comment ), JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE );
	$key     = wp_generate_uuid4();
	$answer  = submit( (string) $request, $key );
	$record  = array( 'beside' => (string) $approved );
	if ( null !== $answer->document ) {
		Now::$judged = $record + said( $answer->document );
		return enforces() ? status_for( $answer->document, $approved ) : $approved;
	}
	Now::$judged = $record + array(
		'idempotency_key' => $key,
		'request'         => $answer->may_retry ? $request : null,
		'error'           => substr( $answer->error, 0, 255 ),
	);
	// Spam and trash may stay what others made them; approved it is not, unseen.
	return enforces() && 1 === (int) $approved ? 0 : $approved;
}

/** The status in WordPress for what Hamlet says. */
function status_for( array $document, mixed $approved ): mixed {
	$is_observed = 'published' === $document['status'] && 'publish' !== $document['verdict'] && empty( $document['ruling'] );
	if ( $is_observed || 'trash' === $approved ) {
		// Hamlet's own site is set to observe: everything would be published. And what the owner's own word list threw away stays away.
		return $approved;
	}
	switch ( $document['status'] ) {
		case 'published':
			// "Comment must be manually approved" is the owner's word.
			return get_option( 'comment_moderation' ) ? 0 : 1;
		case 'rejected':
			return ! empty( $document['discard'] ) && '1' === setting( 'discard' ) ? 'trash' : 'spam';
		default:
			return 0;
	}
}

/** A comment as Hamlet's API takes it. WordPress hands it over with slashes, its REST API without. */
function request_of( array $comment ): array {
	$comment = defined( 'REST_REQUEST' ) && REST_REQUEST ? $comment : wp_unslash( $comment );
	$post    = get_post( (int) ( $comment['comment_post_ID'] ?? 0 ) );
	$parent  = empty( $comment['comment_parent'] ) ? null : get_comment( (int) $comment['comment_parent'] );
	$user    = empty( $comment['user_id'] ) ? null : get_userdata( (int) $comment['user_id'] );
	$request = array(
		'body'         => Now::$typed ?? (string) ( $comment['comment_content'] ?? '' ),
		'name'         => $comment['comment_author'] ?? '',
		'email'        => $comment['comment_author_email'] ?? '',
		'url'          => $comment['comment_author_url'] ?? '',
		'ip'           => $comment['comment_author_IP'] ?? '',
		'user_agent'   => $comment['comment_agent'] ?? '',
		'type'         => $comment['comment_type'] ?? '',
		// A comment that is sent later was written now.
		'submitted_at' => gmdate( 'Y-m-d\TH:i:s\Z' ),
		'role'         => $user ? (string) ( array_values( $user->roles )[0] ?? '' ) : '',
		// Hamlet answers a filled honeypot by itself.
		'honeypot'     => is_string( $_POST[ HONEYPOT ] ?? null ) ? wp_unslash( $_POST[ HONEYPOT ] ) : '', // phpcs:ignore WordPress.Security.NonceVerification
	);
	if ( $post ) {
		$request['page_url']          = (string) get_permalink( $post );
		$request['page_title']        = wp_strip_all_tags( $post->post_title );
		$request['page_excerpt']      = mb_substr( wp_strip_all_tags( $post->post_content, true ), 0, EXCERPT_CHARS_MAX );
		$request['page_published_at'] = (string) get_post_time( 'c', true, $post );
	}
	if ( $parent ) {
		$request['parent_id']   = (string) ( record( (int) $parent->comment_ID )->hamlet_id ?? '' );
		$request['parent_body'] = wp_strip_all_tags( $parent->comment_content );
	}
	return array_filter( $request, static fn ( $value ) => '' !== $value );
}

add_action(
	'wp_insert_comment',
	static function ( int $id, object $comment ): void {
		if ( null === Now::$judged ) {
			return;
		}
		// Akismet has written what it said by now.
		$akismet = array( 'akismet' => substr( (string) get_comment_meta( $id, 'akismet_result', true ), 0, 5 ) );
		add_record( $id, Now::$judged + $akismet );
		if ( null !== ( Now::$judged['request'] ?? null ) ) {
			resend_later();
		}
		Now::$judged = null;
		Now::$typed  = null;
	},
	20,
	2
);

/** A field that no person sees. */
add_action(
	'comment_form',
	static function (): void {
		printf(
			'<div aria-hidden="true" style="position:absolute;width:1px;height:1px;margin:-1px;overflow:hidden;clip-path:inset(50%%)"><label>Leave this empty <input name="%s" tabindex="-1" autocomplete="off"></label></div>',
			esc_attr( HONEYPOT )
		);
	}
);

function resend_later(): void {
	if ( ! wp_next_scheduled( 'hamlet_resend' ) ) {
		wp_schedule_single_event( time() + RESEND_AFTER_SECONDS, 'hamlet_resend' );
	}
}

add_action( 'hamlet_resend', __NAMESPACE__ . '\resend' );

/** Sends what waits, oldest first, until Hamlet fails again. */
function resend(): void {
	foreach ( waiting( RESEND_AT_ONCE ) as $record ) {
		if ( null !== $record->request && ! resend_comment( $record ) ) {
			break;
		}
		$record = record( (int) $record->comment_id );
		if ( '' !== $record->hamlet_id && ! $record->person_told ) {
			tell_ruling( $record );
		}
		if ( Now::$is_down ) {
			break;
		}
	}
	if ( waiting( 1 ) ) {
		resend_later();
	}
}

/** Whether it is settled, one way or the other. */
function resend_comment( object $record ): bool {
	$answer = submit( $record->request, $record->idempotency_key );
	if ( null !== $answer->document ) {
		change_record( (int) $record->comment_id, said( $answer->document ) );
		$comment = get_comment( (int) $record->comment_id );
		// Whoever decided meanwhile was right; and what is no longer pending was decided.
		if ( enforces() && $comment && '' === $record->person && 'unapproved' === wp_get_comment_status( $comment ) ) {
			set_status( (int) $record->comment_id, status_for( $answer->document, '' === $record->beside ? 0 : $record->beside ) );
		}
		return true;
	}
	change_record( (int) $record->comment_id, array( 'error' => substr( $answer->error, 0, 255 ) ) + ( $answer->may_retry ? array() : array( 'request' => null ) ) );
	return ! $answer->may_retry;
}

/** Sets a status because Hamlet said so. */
function set_status( int $comment_id, mixed $status ): void {
	Now::$obeys = true;
	try {
		wp_set_comment_status( $comment_id, array( '1' => 'approve', '0' => 'hold' )[ (string) $status ] ?? (string) $status );
	} finally {
		Now::$obeys = false;
	}
}

add_action( 'transition_comment_status', __NAMESPACE__ . '\decided', 10, 3 );

/** A moderator moved a comment. What lies between (spam to pending) waits for the decision that follows. */
function decided( string $new, string $old, object $comment ): void {
	if ( Now::$obeys || ! current_user_can( 'moderate_comments' ) ) {
		return;
	}
	$ruling = array( 'approved' => 'publish', 'spam' => 'spam', 'trash' => 'remove' )[ $new ] ?? '';
	if ( '' === $ruling || ( 'trash' === $new && 'spam' === $old ) ) {
		return;
	}
	$record = record( (int) $comment->comment_ID );
	if ( ! $record ) {
		return;
	}
	$name = mb_substr( wp_get_current_user()->display_name, 0, 80 );
	change_record( (int) $comment->comment_ID, array( 'person' => $ruling, 'person_name' => $name, 'person_told' => 0 ) );
	$record = record( (int) $comment->comment_ID );
	if ( '' === $record->hamlet_id || Now::$is_down ) {
		resend_later();
		return;
	}
	tell_ruling( $record );
}

function tell_ruling( object $record ): void {
	$answer = rule( $record->hamlet_id, $record->person, $record->person_name );
	if ( null !== $answer->document || ! $answer->may_retry ) {
		change_record( (int) $record->comment_id, array( 'person_told' => 1, 'error' => substr( $answer->error, 0, 255 ) ) );
		return;
	}
	Now::$is_down = true;
	resend_later();
}

add_action(
	'admin_notices',
	static function (): void {
		if ( ! current_user_can( 'moderate_comments' ) ) {
			return;
		}
		$waiting = count_waiting();
		if ( $waiting > 0 ) {
			$text = sprintf( 'Hamlet could not be reached. Comments that wait to be sent to it: %d. They are pending, and nothing is lost.', $waiting );
			printf( '<div class="notice notice-warning"><p>%s</p></div>', esc_html( $text ) );
		}
	}
);
